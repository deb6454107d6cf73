# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How reports look: on a screen by day and by night, on a phone, and on A4."""

from __future__ import annotations

# Every pair of text and ground that the page uses keeps a contrast of at least 4.5 (WCAG AA).
LIGHT = {
    "ground": "#f4f6f8",
    "card": "#ffffff",
    "line": "#d5dbe1",
    "text": "#1a2027",
    "muted": "#55606c",
    "link": "#0b57a4",
    "bar": "#2f6fb3",
    "track": "#e6eaee",
    "pass": "#12622f",
    "pass-ground": "#e2f4e6",
    "pass-solid": "#146c34",
    "fail": "#a3142a",
    "fail-ground": "#fdeaec",
    "fail-solid": "#ab1530",
    "open": "#754600",
    "open-ground": "#fdf2d6",
    "open-solid": "#8a5300",
    "off": "#4d5763",
    "off-ground": "#eceff2",
    "off-solid": "#55606c",
}
DARK = {
    "ground": "#0e1318",
    "card": "#171d24",
    "line": "#313a45",
    "text": "#e8edf2",
    "muted": "#a3afbb",
    "link": "#7fbcff",
    "bar": "#5fa5ea",
    "track": "#2a323c",
    "pass": "#6fdc8c",
    "pass-ground": "#14301d",
    "pass-solid": "#186f38",
    "fail": "#ff9aa2",
    "fail-ground": "#3a161b",
    "fail-solid": "#b3213a",
    "open": "#f2c14e",
    "open-ground": "#35290c",
    "open-solid": "#855100",
    "off": "#b4bfca",
    "off-ground": "#262e37",
    "off-solid": "#55606c",
}

_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);line-height:1.55;
 font:1rem/1.55 system-ui,-apple-system,"Segoe UI","Hiragino Sans","Yu Gothic UI","Noto Sans CJK JP",sans-serif}
#show-en:checked~* .w[lang=ja],#show-ja:checked~* .w[lang=en]{display:none}
.choice{position:absolute;opacity:0;pointer-events:none}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{display:flex;justify-content:space-between;align-items:center;gap:1rem;padding-top:1rem;padding-bottom:.75rem}
header p,h1,h2,h3,dl,dd,ul{margin:0}
header p{font-weight:600}
header p span span,.muted{color:var(--muted);font-weight:400}
.switch{display:flex;flex:none;border:1px solid var(--line);border-radius:.5rem;overflow:hidden;background:var(--card)}
.switch label{padding:.35rem .8rem;cursor:pointer;font-size:.875rem;color:var(--muted);white-space:nowrap}
#show-en:checked~header [for=show-en],#show-ja:checked~header [for=show-ja]{
 background:var(--off-solid);color:#fff;font-weight:600}
#show-en:focus-visible~header [for=show-en],#show-ja:focus-visible~header [for=show-ja]{
 outline:3px solid var(--link);outline-offset:-3px}
a{color:var(--link)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono CJK JP",monospace;font-size:.875em;
 unicode-bidi:isolate;overflow-wrap:anywhere}
.banner{display:flex;gap:1.5rem;align-items:center;padding:1.5rem 1.75rem;border-radius:.9rem;color:#fff}
.banner>svg{flex:none;width:5.5rem;height:5.5rem}
.banner h1{font-size:clamp(2rem,7vw,3.5rem);line-height:1.1;letter-spacing:.01em}
.banner p{margin:.35rem 0 0;font-size:1.2rem;max-width:56rem;overflow-wrap:anywhere}
.banner .subject{font-size:1rem}
.banner.pass{background:var(--pass-solid)}.banner.fail{background:var(--fail-solid)}
.banner.could_not_verify{background:var(--open-solid)}.banner.not_configured{background:var(--off-solid)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem;margin-top:1rem}
.card,.tile{background:var(--card);border:1px solid var(--line);border-radius:.9rem}
.tile{padding:1rem 1.25rem;display:flex;flex-direction:column}
.tile h3{font-size:.875rem;color:var(--muted);font-weight:600}
.tile .big{font-size:1.75rem;font-weight:700;line-height:1.3;font-variant-numeric:tabular-nums}
.tile .big small{font-size:1rem;font-weight:400;color:var(--muted)}
.tile p{margin:0;font-size:.875rem}
.tile .state{margin-top:auto;padding-top:.35rem;font-weight:600}
.gauge{display:block;width:100%;height:.9rem;margin:.45rem 0 .1rem}
.card{padding:1.25rem 1.5rem;margin-top:1rem}
.card.fail{border-left:.5rem solid var(--fail-solid)}.card.could_not_verify{border-left:.5rem solid var(--open-solid)}
h2{font-size:1.25rem;line-height:1.3}
h2+*{margin-top:.6rem}
.card h3{font-size:1rem;margin-top:1rem}
.card p{margin:.6rem 0 0;max-width:60rem}
.places{padding-left:1.25rem;margin-top:.4rem}
.places.plain{list-style:none;padding:0}
.places li{margin:.2rem 0;overflow-wrap:anywhere}
dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.7rem 1.5rem}
dl.facts dt{font-size:.8125rem;color:var(--muted)}
dl.facts dd,td,th{overflow-wrap:anywhere}
dl.facts .wide{grid-column:1/-1}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-top:1px solid var(--line)}
thead td{border-top:0;border-bottom:2px solid var(--line)}
thead th{border-top:0;border-bottom:2px solid var(--line);font-size:.8125rem;color:var(--muted);font-weight:600;
 vertical-align:bottom;background:var(--card)}
thead th{overflow-wrap:normal;word-break:keep-all}
.muted+.charts{margin-top:.8rem}
tbody th{font-weight:600}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.why{display:block;font-weight:400;font-size:.8125rem;color:var(--muted)}
.badge{display:inline-flex;align-items:center;gap:.35rem;padding:.1rem .6rem .1rem .35rem;border-radius:1rem;
 font-size:.8125rem;font-weight:600;white-space:nowrap}
.badge svg,.state svg{width:1.1em;height:1.1em;flex:none;vertical-align:-.15em}
.badge.pass{color:var(--pass);background:var(--pass-ground)}
.badge.fail{color:var(--fail);background:var(--fail-ground)}
.badge.could_not_verify{color:var(--open);background:var(--open-ground)}
.badge.not_configured{color:var(--off);background:var(--off-ground)}
.state.pass{color:var(--pass)}.state.fail{color:var(--fail)}
.state.could_not_verify{color:var(--open)}.state.not_configured{color:var(--muted)}
tr.fail>*{background:var(--fail-ground)}
tr.fail>:first-child{padding-left:.5rem}
tr.fail .badge{background:none}
tr.fail .muted,tr.fail .why{color:var(--text)}
td b{font-weight:600;color:var(--fail)}
details{border-top:1px solid var(--line);margin-top:.8rem}
summary{cursor:pointer;padding:.6rem 0;font-weight:600;overflow-wrap:anywhere}
summary .muted{margin:0 .5rem}
summary:focus-visible{outline:3px solid var(--link)}
.checks th:first-child{width:38%}.checks td:nth-child(2){width:38%}
.stack td.n,.stack th.n{padding-right:1.25rem}
p+dl.facts{margin-top:.8rem}
.phases td:nth-child(2){width:60%}.phases tbody>tr>*{vertical-align:middle}
.phases svg{display:block;width:100%;height:1rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1rem 1.5rem;align-items:end}
figure{margin:0}
figcaption{font-size:.875rem;color:var(--muted)}
figcaption strong{display:block;color:var(--text);font-size:.9375rem}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text,.legend{font-size:11px;fill:var(--muted)}
.chart .last{font-size:13px;font-weight:700;fill:var(--text)}
.chart .grid,.chart .tick{stroke:var(--line);stroke-width:1}
.chart .axis{stroke:var(--muted);stroke-width:1}
.chart .run{fill:none;stroke:var(--bar);stroke-width:2;stroke-linejoin:round}
.chart .goal{stroke:var(--open);stroke-width:1.5;stroke-dasharray:5 4}
.chart .goalword{fill:var(--open)}
.p-pass{fill:var(--bar)}.p-fail{stroke:var(--fail);stroke-width:2.5;fill:none}
.p-could_not_verify,.p-not_configured{stroke:var(--open);stroke-width:2;fill:var(--card)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.8125rem;color:var(--muted);margin-top:.6rem}
.legend svg{width:14px;height:14px;vertical-align:-2px;margin-right:.3rem}
.seg-pass{fill:var(--pass)}.seg-fail{fill:var(--fail)}.seg-could_not_verify{fill:var(--open)}.seg-not_configured{fill:var(--track)}
.bar{fill:var(--bar)}.track{fill:var(--track)}.over{fill:var(--fail)}.goalmark{fill:var(--text)}
footer{padding-top:1.25rem;padding-bottom:2rem;font-size:.875rem;color:var(--muted)}
.signoff{display:none}
@media (max-width:40rem){
 header,main,footer{padding-left:.75rem;padding-right:.75rem}
 .banner{padding:1.1rem;gap:1rem;align-items:flex-start}
 .banner>svg{width:3rem;height:3rem}
 .banner p{font-size:1.0625rem}.banner .subject{font-size:.9375rem}
 .tiles{grid-template-columns:1fr 1fr;gap:.6rem}
 .tile:first-child{grid-column:1/-1}
 .tile{padding:.75rem .85rem}.tile .big{font-size:1.35rem}
 .card{padding:1rem}
 dl.facts{grid-template-columns:repeat(auto-fill,minmax(9rem,1fr))}
 .stack thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}
 .stack,.stack tbody,.stack caption{display:block}
 .stack tr{display:grid;grid-template-columns:1fr auto;gap:.1rem .6rem;border-top:1px solid var(--line);padding:.5rem 0}
 .stack tr>th,.stack tr>td,.checks tr>:nth-child(-n+2){border:0;padding:0;width:auto}
 .stack tr.fail{background:var(--fail-ground);padding:.5rem}
 .stack tr.fail>*{background:none;padding-left:0}
 .stack tr>th{grid-area:1/1}.stack tr>td:last-child{grid-area:1/2}
 .stack .full{grid-column:1/-1}
 .tables tr,.assertions tr{grid-template-columns:minmax(0,1fr) 8rem}
 .past tr{grid-template-columns:1fr 1fr}.past tr>.n:nth-child(2){grid-column:1/-1}
 .stack tr>.n{padding:0;text-align:left;font-size:.875rem}
 .stack td:empty{display:none}
 .phases td:nth-child(2){width:35%}
}
@media (min-width:40.01rem){
 .small{display:none}.tables thead th{position:sticky;top:0}
 .tables th:first-child{width:34%}}
@media print{
 @page{size:A4;margin:13mm}
 body{background:#fff;font-size:10pt}
 header,main,footer{max-width:none;padding:0 0 .5rem}
 .switch,.screen{display:none}
 .banner,.banner p{color:var(--text)}
 .banner{border:3px solid;padding:1rem 1.25rem;break-inside:avoid}
 .banner.pass,.banner.fail,.banner.could_not_verify,.banner.not_configured{background:none}
 .banner.pass{color:var(--pass)}.banner.fail{color:var(--fail)}
 .banner.could_not_verify{color:var(--open)}.banner.not_configured{color:var(--off)}
 .card,.tile{border-radius:.4rem;-webkit-box-decoration-break:clone;box-decoration-break:clone}
 .why,figcaption,.tile p,.tile h3,summary,.legend,caption{font-size:8.5pt}
 .badge{font-size:8pt;padding:0 .4rem 0 .2rem}
 .card{padding:.8rem 1rem;margin-top:.7rem}
 .tiles{grid-template-columns:repeat(3,1fr);gap:.6rem;margin-top:.7rem}
 .tile{padding:.6rem .8rem}.tile .big{font-size:1.3rem}
 .charts{grid-template-columns:repeat(3,1fr);gap:.8rem}
 .chart text{font-size:15px}.chart .last{font-size:15px}.chart .mid{display:none}
 table,dl.facts{font-size:9pt}
 dl.facts{grid-template-columns:repeat(3,1fr)}
 th,td{padding:.25rem .6rem .25rem 0}
 tbody tr:first-child{break-before:avoid}
 tr,figure,.tile,li,dl.facts>div{break-inside:avoid}
 h2,h3,caption{break-after:avoid}
 thead{display:table-header-group}.tables thead th{position:static}
 details::details-content{content-visibility:visible;block-size:auto}
 summary{list-style:none}
 *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
 .signoff{display:grid;grid-template-columns:2fr 2fr 1fr;gap:1rem;margin-top:1rem;break-inside:avoid}
 .signoff div{border:1px solid var(--line);height:3.2rem;padding:.2rem .5rem;font-size:8pt;color:var(--muted)}
}
"""


def sheet() -> str:
    """The style sheet."""
    day, night = _variables(LIGHT), _variables(DARK)
    scheme = (
        f":root{{color-scheme:light dark;{day}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{night}}}}}"
    )
    return scheme + _RULES


def _variables(palette: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())
