"""What a person may say about a document: the shape of PATCH, and of `seodang document set`."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.web.wire import Label, Shape, Text

MAX_TITLE_CHARS = 500


def _filled(text: str) -> str:
    if not text:
        raise ValueError("must not be empty; null clears it")
    return text


Name = Annotated[Label, AfterValidator(_filled)]
Title = Annotated[Text, Field(max_length=MAX_TITLE_CHARS), AfterValidator(_filled)]


class LicenseIn(Shape):
    """A licence; what is restricted may be found and opened by its owner, and is never quoted in an answer."""

    name: Name | None = None
    restricted: bool | None = Field(None, description="Left out, it stays as it is.")


class DocumentPatch(Shape):
    """Fields to set; one that is not given stays, null clears it and lets rules and the classifier propose again."""

    title: Title | None = None
    collection: Name | None = None
    material_type: Name | None = None
    jurisdiction: Name | None = None
    published_date: date | None = None
    license: LicenseIn | None = None
    series: Title | None = None
    effective_date: date | None = None

    def fields(self) -> dict[str, Any]:
        """Give what was said, as `set_document_fields` takes it."""
        said = self.model_dump(mode="json", include=self.model_fields_set)
        return {**said, "license": self.license.model_dump(exclude_none=True)} if self.license else said
