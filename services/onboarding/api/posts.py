"""The posts of onboarding. A route of a post asks for one of these; who does not hold it is answered 403 `forbidden_post`."""

from typing import Annotated

from fastapi import Depends

from libs.runtime.http import ViewReader, view_reader
from libs.runtime.http.posts import post

Staff = Annotated[ViewReader, Depends(view_reader("onboarding.staff"))]

CustomerManager = Annotated[None, Depends(post("onboarding", "customer_manager"))]
Risk = Annotated[None, Depends(post("onboarding", "risk"))]
Disbursement = Annotated[None, Depends(post("onboarding", "disbursement"))]
