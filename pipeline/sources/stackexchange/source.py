"""Stack Exchange as LLaMA used it: the 28 largest sites, answers by score (arXiv 2302.13971).

One pass: `Posts.xml` -> threads -> text. A site is one unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.stackexchange import QuestionFilter, ScoreFilter, ThreadText
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.look_pass import look_at
from pipeline.passes.shards import Columns
from pipeline.passes.stages import enabled
from pipeline.readers.dump_file import (
    UnreadableDumpError,
    check_seven_zip,
    open_dump,
    seven_zip_sizes,
)
from pipeline.readers.records import BadRecord, LostInput, Records
from pipeline.readers.stackexchange import read_posts
from pipeline.recipe import Recipe
from pipeline.sources.declaration import Found, Prepared, Source, Step
from pipeline.sources.stackexchange.settings import PostsInputSettings, StackExchangeSettings
from pipeline.store import files
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, unit_of

POSTS = "Posts.xml"
FILES = r"(^|/)posts\.xml$|\.7z$"
LOOKED_FOR = "SITE.7z, stackoverflow.com-Posts.7z, or Posts.xml in a folder named like its site"
OTHER_TABLES = re.compile(
    r"-(Badges|Comments|PostHistory|PostLinks|Tags|Users|Votes)\.7z$", re.IGNORECASE
)
_SNAPSHOT = re.compile(r"-(\d{4}(?:-\d\d){0,2})$")

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "tags": pa.list_(pa.string()),
        "closed": pa.string(),
        "accepted_answer_id": pa.int64(),
        "answer_ids": pa.list_(pa.int64()),
        "answer_scores": pa.list_(pa.int64()),
        "authors": pa.list_(pa.string()),
    },
    signals={
        "question_score": pa.int64(),
        "answers": pa.int64(),
        "answers_left_out": pa.int64(),
    },
)


@dataclass(frozen=True)
class Site:
    """A file with a site's posts.

    Attributes:
        name: the site's host.
        snapshot: date in the file's or folder's name, empty if there is none.
        posts_bytes: size of its `Posts.xml`, decompressed.
        unit: that is the file.
    """

    name: str
    snapshot: str
    posts_bytes: int
    unit: Unit


@dataclass(frozen=True)
class ReadPosts:
    """Reads a unit as a site's posts."""

    settings: PostsInputSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        settings = self.settings
        archived = stream.read(6) == b"7z\xbc\xaf\x27\x1c"
        stream.seek(0)
        problem = self._archive_problem(stream, unit) if archived else None
        if problem is not None:
            yield problem
            return
        stream.seek(0)
        yield from read_posts(
            open_dump(stream, unit.relative, member=POSTS),
            site=site_name(unit.path)[0],
            maximum_row_bytes=settings.maximum_row_bytes,
            join_bytes=settings.join_bytes,
        )

    def _archive_problem(self, stream: BinaryIO, unit: Unit) -> BadRecord | None:
        """Why an archive is not decompressed at all."""
        try:
            sizes = seven_zip_sizes(stream)
        except UnreadableDumpError as error:
            return error.row(unit.relative)
        if POSTS not in sizes:
            detail = f"members: {', '.join(sizes)[:200]}"
            return BadRecord(unit.relative, "", "no_posts", detail, LostInput())
        # py7zr never writes more than the header says, so what it says is what is to be feared.
        total, limit = sum(sizes.values()), self.settings.maximum_expansion * unit.size
        if total > limit:
            detail = f"{total} bytes > {limit}"
            return BadRecord(unit.relative, "", "expands_too_much", detail, LostInput())
        return None


def site_name(path: str) -> tuple[str, str]:
    """A site's host and the snapshot's date, from the path of its file.

    `stackoverflow.com-Posts.7z`, `cooking.stackexchange.com-2014-05/Posts.xml`.
    """
    folder, name = files.split(path)
    if name.lower() == POSTS.lower():
        name = files.split(folder)[1]
    name = re.sub(r"(-Posts)?\.7z$", "", name, flags=re.IGNORECASE)
    date = _SNAPSHOT.search(name)
    site = name[: date.start()] if date else name
    return site.lower() or "unknown", date[1] if date else ""


def find_units(inputs: Inputs, _: StackExchangeSettings) -> Found:
    """Files with a site's posts, and those that are refused with their reason.

    Raises:
        InputError: there is none.
    """
    found = find_inputs(inputs, FILES, LOOKED_FOR)
    posts = [file for file in found if not OTHER_TABLES.search(file.relative)]
    if not posts:
        raise InputError(
            f"none of the {len(found)} files below {inputs} has the posts of a site; found for "
            f"example {found[0].relative}"
        )
    check_seven_zip(file.relative for file in posts)
    others = [file for file in found if OTHER_TABLES.search(file.relative)]
    refused = [{"path": file.relative, "reason": "other_table"} for file in others]
    return [unit_of(file) for file in posts], refused


def prepare(job: Job, settings: StackExchangeSettings, units: Sequence[Unit]) -> Prepared:
    """Choose the sites: the largest, by a look at what each archive says of its posts."""
    packed = [unit for unit in units if unit.relative.lower().endswith(".7z")]
    sizes = look_at(job.run, "archives", job.place("archives"), packed, posts_bytes)
    return choose(settings.input, units, sizes)


def choose(
    settings: PostsInputSettings, units: Sequence[Unit], sizes: Mapping[str, int]
) -> Prepared:
    """The units of the sites that are read, and why others are not.

    Args:
        settings: which sites are wanted.
        units: files with a site's posts.
        sizes: bytes of posts by name of unit, where these are not the file's.

    Raises:
        InputError: none is of a site that is wanted.
    """
    sites = [Site(*site_name(unit.path), sizes.get(unit.name, unit.size), unit) for unit in units]
    refused: dict[str, str] = {}
    chosen: dict[str, Site] = {}
    # Of several files of one site the newest, and what needs no decompression before what does.
    for site in sorted(sites, key=lambda site: (site.snapshot, site.unit.relative), reverse=True):
        if chosen.setdefault(site.name, site) is not site:
            refused[site.unit.name] = "same_site"
    ranked = sorted(chosen.values(), key=lambda site: (-site.posts_bytes, site.name))
    wanted = {name.lower() for name in settings.sites}
    for rank, site in enumerate(ranked):
        if wanted and site.name not in wanted:
            refused[site.unit.name] = "site_not_wanted"
        elif not wanted and rank >= settings.largest:
            refused[site.unit.name] = "not_among_largest"
    read = [unit for unit in units if unit.name not in refused]
    if not read:
        raise InputError(
            f"none of the {len(units)} files has the posts of a wanted site "
            f"({' '.join(settings.sites)}); found for example {units[0].relative}"
        )
    return Prepared(
        read,
        [
            {"path": unit.relative, "reason": refused[unit.name]}
            for unit in units
            if unit.name in refused
        ],
    )


def posts_bytes(unit: Unit) -> int:
    """Size of the posts in an archive; of one that is damaged its own size."""
    with files.open_read(unit.path) as stream:
        try:
            return seven_zip_sizes(stream).get(POSTS, 0)
        except UnreadableDumpError:
            return unit.size  # it is read all the same, and then rejected with the reason


def steps(settings: StackExchangeSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From threads to text."""
    scores = enabled((settings.scores, ScoreFilter(settings.scores)))
    return (*scores, QuestionFilter(settings.question), ThreadText())


SOURCE = Source(
    name="stackexchange",
    settings=StackExchangeSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=lambda settings: ReadPosts(settings.input),
    steps=steps,
    prepare=prepare,
)
