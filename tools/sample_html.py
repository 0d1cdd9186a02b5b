"""Render the sample crawl's pages as HTML the way sites do, and as the text a WET file holds.

A body is light markup: blank lines part paragraphs, `## ` starts a heading, `- ` a list item,
`> ` a quotation, `| a | b` a table row, `@@ who | when` a post of a forum or a comment. Around it
go the site's navigation, cookie notice, boilerplate, sidebar and footer, in one of four layouts.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from sample_sources import Entry

SCRIPT = (
    "<script>window.dataLayer=window.dataLayer||[];"
    'function track(){dataLayer.push(arguments)}track("js",new Date(0));</script>'
)
STYLE = (
    "<style>body{font:16px/1.5 serif;margin:0 auto;max-width:70em}nav li{display:inline}</style>"
)
BLOCK_NAMES = """p h1 h2 h3 li div tr blockquote title nav header footer main article aside ul
table button body head center hr form label"""
BLOCKS = frozenset(BLOCK_NAMES.split())
HIDDEN = frozenset(("script", "style", "noscript"))


def render(page: Entry, site: Entry, meta_charset: str) -> str:
    """The page as an HTML document in its site's layout.

    Args:
        page: title, lang and body; `byline`, `price` where the layout shows them.
        site: name, layout, nav, and optionally notice, boilerplate, aside, footer.
        meta_charset: what the document says about its encoding; empty: nothing.
    """
    layout = site.need("layout")
    body = {"plain": _plain, "forum": _modern, "shop": _shop, "article": _modern}[layout]
    title = escape(page.get("title"), quote=False)
    charset = f'<meta charset="{meta_charset}">\n' if meta_charset else ""
    if layout == "plain":
        charset = (
            '<meta http-equiv="Content-Type" content="text/html; '
            f'charset={meta_charset}">\n' if meta_charset else ""
        )  # fmt: skip
        doctype = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">'
        return (
            f"{doctype}\n<html>\n<head>\n{charset}<title>{title}</title>\n</head>\n"
            f'<body bgcolor="#ffffff">\n{body(page, site)}</body>\n</html>\n'
        )
    return (
        f'<!DOCTYPE html>\n<html lang="{page.get("lang", "en")}">\n<head>\n{charset}'
        f"<title>{title} | {escape(site.need('name'))}</title>\n"
        f'<meta name="viewport" content="width=device-width">\n{STYLE}\n{SCRIPT}\n</head>\n'
        f"<body>\n{body(page, site)}{SCRIPT}\n</body>\n</html>\n"
    )


def _modern(page: Entry, site: Entry) -> str:
    """Header, article or thread, sidebar, footer."""
    byline = page.get("byline")
    return (
        _top(site)
        + f"<main>\n<article>\n<h1>{escape(page.get('title'), quote=False)}</h1>\n"
        + (f'<p class="byline">{escape(byline, quote=False)}</p>\n' if byline else "")
        + _blocks(page.body)
        + _paragraphs(site.get("boilerplate"))
        + f"</article>\n{_aside(site)}</main>\n"
        + _footer(site)
    )


def _shop(page: Entry, site: Entry) -> str:
    """A product page: price and basket, description, footer."""
    return (
        _top(site)
        + f'<main>\n<div class="product">\n<h1>{escape(page.get("title"), quote=False)}</h1>\n'
        + f'<p class="price">{escape(page.get("price"))}</p>\n'
        + "<form><label>Quantity</label><button>Add to basket</button></form>\n"
        + f'<div class="description">\n{_blocks(page.body)}</div>\n'
        + _paragraphs(site.get("boilerplate"))
        + f"</div>\n{_aside(site)}</main>\n"
        + _footer(site)
    )


def _plain(page: Entry, site: Entry) -> str:
    """A page as people wrote it by hand in 1998."""
    links = " | ".join(
        f'<a href="/{number}.html">{escape(item)}</a>'
        for number, item in enumerate(_items(site.need("nav")))
    )
    return (
        f'<center><font size="2">{links}</font></center>\n<hr>\n'
        f"<h1>{escape(page.get('title'), quote=False)}</h1>\n{_blocks(page.body)}"
        f"{_paragraphs(site.get('boilerplate'))}"
        f'<hr>\n<font size="1">{escape(site.get("footer"))}</font>\n'
    )


def _top(site: Entry) -> str:
    """Cookie notice, logo and navigation."""
    notice = site.get("notice")
    links = "".join(
        f'<li><a href="/{number}/">{escape(item)}</a></li>\n'
        for number, item in enumerate(_items(site.need("nav")))
    )
    return (
        f'<div class="cookie-notice" role="dialog"><p>{escape(notice)}</p>'
        "<button>Accept</button></div>\n" if notice else ""
    ) + (
        f'<header><a class="logo" href="/">{escape(site.need("name"))}</a>\n'
        f"<nav><ul>\n{links}</ul></nav></header>\n"
    )  # fmt: skip


def _aside(site: Entry) -> str:
    """A list of links beside the text."""
    items = _items(site.get("aside"))
    rows = "".join(
        f'<li><a href="/r/{n}">{escape(item)}</a></li>\n' for n, item in enumerate(items)
    )
    return f'<aside class="sidebar"><ul>\n{rows}</ul></aside>\n' if items else ""


def _footer(site: Entry) -> str:
    """What stands below every page of a site."""
    rows = "".join(f"<p>{escape(item)}</p>\n" for item in _items(site.get("footer")))
    return f"<footer>\n{rows}</footer>\n"


def _paragraphs(text: str) -> str:
    """Paragraphs that stand on every page of a site, parted by `|`."""
    return "".join(f"<p>{escape(item, quote=False)}</p>\n" for item in _items(text))


def _items(text: str) -> list[str]:
    """The parts of a `a | b | c` field."""
    return [item.strip() for item in text.split("|") if item.strip()]


def _blocks(body: str) -> str:
    """Light markup as HTML."""
    out: list[str] = []
    post_open = False
    for block in body.split("\n\n"):
        lines = [escape(line, quote=False) for line in block.strip("\n").split("\n")]
        first = lines[0]
        if first.startswith("@@ "):
            who, _, when = first[3:].partition("|")
            out.append(
                ("</div>\n" if post_open else "")
                + f'<div class="post">\n<div class="author">{who.strip()}</div>'
                f'<div class="date">{when.strip()}</div>\n'
            )
            post_open = True
            lines = lines[1:]
            if not lines:
                continue
        out.append(_block(lines))
    return "".join(out) + ("</div>\n" if post_open else "")


def _block(lines: list[str]) -> str:
    """One block of escaped lines: heading, list, table, quotation or paragraph."""
    first = lines[0]
    if first.startswith("## "):
        return f"<h2>{first[3:]}</h2>\n"
    if first.startswith("- "):
        items = "".join(f"<li>{line[2:]}</li>\n" for line in lines)
        return f"<ul>\n{items}</ul>\n"
    if first.startswith("| "):
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell.strip()}</td>" for cell in line[2:].split("|")) + "</tr>\n"
            for line in lines
        )
        return f"<table>\n{rows}</table>\n"
    if first.startswith("&gt; "):
        return f"<blockquote><p>{' '.join(line[5:] for line in lines)}</p></blockquote>\n"
    return f"<p>{' '.join(lines)}</p>\n"


class _VisibleText(HTMLParser):
    """Collects visible text, one line per block element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Start a line at a block, hide what is not shown."""
        self.hidden += tag in HIDDEN
        if tag in BLOCKS:
            self.lines.append("")
        elif tag == "td":
            self.lines[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        """Start a line after a block."""
        self.hidden -= tag in HIDDEN
        if tag in BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        """Take text that is shown."""
        if not self.hidden:
            self.lines[-1] += data


def visible_text(html: str) -> str:
    """The page's visible text as a WET record holds it: the title, then each line that shows."""
    parser = _VisibleText()
    parser.feed(html)
    lines = (" ".join(line.split()) for line in parser.lines)
    return "\n".join(line for line in lines if line) + "\n"
