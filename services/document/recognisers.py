"""Who recognises text on pictures in this process: a model that sees, an installed tesseract, or nobody."""

from services.formats.picture import Picture, Recognised, Unrecognised
from services.formats.tesseract import installed
from services.kit.document_settings import OcrBy, OcrSettings
from services.model.client import ModelClient
from services.model.endpoint import Endpoint, Role
from services.model.errors import ModelError, ModelUnavailable
from services.model.request import ImagePart
from services.model.vision import prompt_version, read_picture
from services.text.normalise import normalise
from services.tools import Recogniser

MODEL_DPI = 150
"""An A4 page then has 1,240 x 1,754 pixels: 2,800 tokens of Qwen 2.5 VL, and more than most models look at."""
MODEL_PIXELS = 4_000_000
"""A larger page, or a photograph, is drawn smaller: these are 5,100 tokens of Qwen 2.5 VL."""
NOTHING = "Text recognition (a model) made out no text on this page."


class ModelRecogniser:
    """A model that sees; `label` names it and the prompt with every page that it read."""

    def __init__(self, models: ModelClient, endpoint: Endpoint, dpi: int) -> None:
        self.label = f"{endpoint.label} {prompt_version()}"
        self.dpi, self.max_pixels = min(dpi, MODEL_DPI), MODEL_PIXELS
        self._models = models
        self._read = f"Read by text recognition ({endpoint.model or 'a model'}); check numbers against the picture."

    async def recognise(self, picture: Picture) -> Recognised:
        """Give the text of a picture, without places.

        Raises:
            Unrecognised: the model gave no whole reply to this picture.
            ModelUnavailable: nothing can be read now.
        """
        try:
            said = await read_picture(self._models, ImagePart(picture.png, picture.width, picture.height))
        except ModelUnavailable:
            raise
        except ModelError as error:
            raise Unrecognised(str(error)) from error
        text = normalise(said).strip()
        return Recognised(text, (), self._read if text else NOTHING)


_REMEDIES: dict[OcrBy, str] = {
    "off": "set SEODANG_OCR__BY=auto",
    "tesseract": "install tesseract with kor+eng",
    "model": "set SEODANG_MODELS__OCR__BASE_URL",
    "auto": "install tesseract with kor+eng (or set SEODANG_MODELS__OCR__BASE_URL)",
}


def remedy(settings: OcrSettings) -> str:
    """Say what helps where nobody recognises text, of what `ocr.by` allows."""
    return _REMEDIES[settings.by]


def choose(settings: OcrSettings, models: ModelClient | None) -> Recogniser | None:
    """Give who recognises, by `ocr.by`; None where nobody can, or shall."""
    if settings.by in ("auto", "model"):
        endpoint = models.endpoint(Role.OCR) if models is not None else None
        if models is not None and endpoint is not None:
            return ModelRecogniser(models, endpoint, settings.dpi)
    if settings.by in ("auto", "tesseract"):
        return installed(settings.languages, settings.dpi, settings.page_limit_s)
    return None
