"""The knobs of a document's way: reading, recognition, chunks, summaries, digest, deletion."""

import re
from datetime import UTC, datetime
from typing import Literal

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator

from services.kit.setting_part import Count, Part, Seconds, ZoneName


class FolderRule(Part):
    """What a file's place in the watched folder says about it."""

    pattern: str = Field(description="Glob against the path below the watched folder, `**` spans folders.")
    material_type: str | None = Field(None, description="Written to the document; never overwritten by a guess.")
    jurisdiction: str | None = Field(None, description="As above.")
    collection: str | None = Field(None, description="As above.")
    license: str | None = Field(None, description="Name of the licence, kept in `extract_meta.license.name`.")
    restricted: bool = Field(False, description="May be found and opened by its owner, is never quoted in an answer.")
    series: str | None = Field(
        None,
        description="Regular expression on the file's name; its first group names the law or code of which the file "
        "is one version.",
    )

    @field_validator("series")
    @classmethod
    def _has_a_group(cls, given: str | None) -> str | None:
        try:
            groups = 1 if given is None else re.compile(given).groups
        except re.error as error:
            raise ValueError(f"{given!r} is no regular expression: {error}") from error
        if not groups:
            raise ValueError(f"{given!r} has no group: put what is to be the name in parentheses")
        return given


SHIPPED_RULES = (
    FolderRule(pattern="Books/**", material_type="book", restricted=True),
    FolderRule(pattern="Papers_Purchased/**", material_type="paper", restricted=True),
    FolderRule(pattern="Manuals/**", material_type="manual"),
    FolderRule(pattern="KGS/**", material_type="law", jurisdiction="KR", license="kogl"),
)


class IngestSettings(Part):
    """From a file to pages."""

    rules: tuple[FolderRule, ...] = Field(SHIPPED_RULES, description="Folder rules; the first that fits is used.")
    stable_s: Seconds = Field(1.0, description="A watched file is taken when it has not changed for so long.")
    rescan_s: Seconds = Field(60.0, description="How often the watched folder is compared as a whole.")
    max_file_mib: Count = Field(200, description="A larger file ends as `too_large`.")
    memory_mib: Count = Field(1024, description="Memory of the process that parses one file.")
    parse_limit_s: Seconds = Field(120.0, description="Time for parsing one file.")
    max_unpacked_mib: Count = Field(1024, description="Unpacked size of a zip-based file.")
    max_text_chars: Count = Field(100_000_000, description="Text of one document.")


OcrBy = Literal["auto", "tesseract", "model", "off"]


class OcrSettings(Part):
    """Text from pictures of pages, for pages without text only."""

    by: OcrBy = Field("auto", description="`auto`: the model of `models.ocr` where one is set, else tesseract.")
    languages: str = Field(
        "kor+eng", pattern=r"^\w+(\+\w+)*$", description="Languages, as tesseract's `-l` takes them."
    )
    dpi: int = Field(300, ge=72, le=600, description="Resolution at which a page is drawn; a model gets 150 at most.")
    page_limit_s: Seconds = Field(60.0, description="Time of tesseract for one page (measured: 1.6 to 2 s).")
    pages_at_once: Count = Field(8, description="Pages that one job recognises before the next document has its turn.")


class ClassifySettings(Part):
    """What a document is, and its summary."""

    slice_over_chars: Count = Field(260_000, description="A longer text is cut into three slices for the model (P09).")
    head_chars: Count = Field(120_000, description="Slice from the beginning.")
    middle_chars: Count = Field(20_000, description="Slice from the middle.")
    tail_chars: Count = Field(120_000, description="Slice from the end.")
    deep_window_s: Seconds = Field(1800.0, description="Back-pressure looks back so far.")
    deep_share: float = Field(
        0.3, ge=0, le=1, description="Over this share of escalated documents softer reasons no longer escalate."
    )
    deep_pending: Count = Field(5, description="The same when so many deep summaries of that time are waiting.")
    drain_share: float = Field(
        1.0, ge=0, le=1, description="Share of the documents whose triage `queue drain` makes with the deep model."
    )


class DigestSettings(Part):
    """The daily summary of what came in."""

    enabled: bool = Field(True, description="Whether a digest is made.")
    cron: str = Field("0 7 * * *", description="When, as a cron line of five fields.")
    timezone: ZoneName | None = Field(None, description="Zone of it, such as Asia/Seoul; the system's when unset.")
    collection: str = Field("digest", description="Collection of the digests themselves.")
    documents: Count = Field(200, description="So many documents, newest first, are summarised by one digest.")
    hard_limit_s: Seconds = Field(3000.0, description="Time of one digest, all calls together (P08).")

    @field_validator("cron")
    @classmethod
    def _names_moments(cls, given: str) -> str:
        try:
            CronSim(given, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"{given!r} is no cron line ({error}): write one such as 0 7 * * *") from error
        if len(given.split()) != 5:
            raise ValueError(f"{given!r} has {len(given.split())} fields: write five, such as 0 7 * * *")
        return given


class DocumentSettings(Part):
    """The life of a document."""

    purge_after_days: int = Field(
        30, ge=0, description="A deleted document can be restored for so long; 0 keeps it until it is purged by hand."
    )


class EmbedSettings(Part):
    """From pages to chunks that can be found."""

    chunk_chars: Count = Field(1200, description="A chunk is at most so long (measured: services/text/chunks.py).")
    vectors_at_once: Count = Field(512, description="Chunks whose vectors one job makes.")
