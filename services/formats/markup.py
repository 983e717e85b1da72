"""XML members of a zip package, parsed without entities, network or document types. Used by the package formats."""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree

from services.formats import archive
from services.formats.page import FormatError

Element = Any
"""An element of lxml, which has no types."""


def root(package: zipfile.ZipFile, name: str) -> Element:
    """Give the root element of the member `name`. Raises FormatError "corrupt": it is missing, cut or no XML."""
    return parsed(content(package, name))


def parsed(data: bytes) -> Element:
    """Give the root element of XML. Raises FormatError "corrupt"."""
    # libxml2 keeps its own limits then: 10 MB a text node, 256 levels, a factor for what entities may grow.
    safe = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(data, safe)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise archive.damaged(error) from error


def content(package: zipfile.ZipFile, name: str) -> bytes:
    """Give the bytes of the member `name`. Raises FormatError "corrupt" when it is missing or cut."""
    try:
        return package.read(name)
    except (*archive.READ_ERRORS, KeyError, RuntimeError) as error:
        raise archive.damaged(error) from error


def optional(package: zipfile.ZipFile, name: str) -> Element | None:
    """Give the root element of a member that adds something; None where it is missing or not readable."""
    try:
        return root(package, name)
    except FormatError:
        return None


def local(element: Element) -> str:
    """Give the element's name without its namespace; "" for a processing instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def named(element: Element, name: str) -> Iterator[Element]:
    """Give the elements below (and with) `element` that have this name in any namespace, in document order."""
    return (each for each in element.iter() if local(each) == name)


def attribute(element: Element, name: str) -> str:
    """Give the attribute of this name in any namespace or none, "" where it is missing."""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def beside(name: str, target: str) -> str:
    """Resolve a reference in the member `name` to a member's name; a fragment is cut off."""
    path = unquote(target.split("#", 1)[0])
    if not path:
        return name
    joined = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), path))
    return joined.lstrip("/")


def relations(package: zipfile.ZipFile, name: str) -> list[tuple[str, str, str]]:
    """List what the part `name` of an OOXML package points at inside it: (id, kind, member's name)."""
    folder, file = posixpath.split(name)
    found = optional(package, posixpath.join(folder, "_rels", f"{file}.rels"))
    if found is None:
        return []
    inner = [each for each in named(found, "Relationship") if each.get("TargetMode") != "External"]
    return [
        (each.get("Id") or "", (each.get("Type") or "").rpartition("/")[2], beside(name, each.get("Target") or ""))
        for each in inner
    ]
