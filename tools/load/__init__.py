"""Load on the platform from outside, for the faults and the bench: nobody here waits for a slow answer before he asks again."""
