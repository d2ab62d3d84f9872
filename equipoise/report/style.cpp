#include "equipoise/report/assets.h"

namespace equipoise::report {

// Colours of figures are literal attributes in the SVG; the rules below only repaint them in the dark, so that a figure taken out
// of the page (or read by a renderer without CSS variables) keeps its colours. The slots s0 to s7 and f0 to f7 are those of
// context.cpp.
const std::string_view style = R"css(
:root{--ink:#1c2430;--soft:#4a5361;--muted:#5b6472;--line:#e1e6ee;--rule:#c3cad6;--page:#f7f8fa;--card:#fff;--tint:#f6f8fb;--here:#eef2f8;--accent:#0f7391;--warn:#8a4b00;--warn-back:#fff6e6;--warn-line:#efc27b}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1040px;margin:0 auto;padding:48px 28px 80px}
h1{font-size:32px;line-height:1.2;letter-spacing:-.015em;margin:0 0 8px;font-weight:680;text-wrap:balance}
.subtitle{font-size:18px;line-height:1.45;color:var(--soft);margin:0 0 14px;max-width:46em}
.identity{margin:0 0 24px;color:var(--muted);font-size:14px;display:flex;flex-wrap:wrap;gap:2px 20px}
h2{font-size:22px;line-height:1.3;letter-spacing:-.01em;margin:56px 0 16px;font-weight:660;scroll-margin-top:16px}
h3{font-size:16px;margin:0 0 8px;font-weight:650}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:14px;padding:12px 0;border-top:1px solid var(--line);border-bottom:1px solid var(--line);margin:0 0 28px}
nav a{color:var(--accent);text-decoration:none}
nav a:hover{text-decoration:underline}
.banner{background:var(--warn-back);border:1px solid var(--warn-line);border-left-width:5px;border-radius:8px;color:var(--warn);font-weight:600;padding:12px 18px;margin:0 0 24px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:16px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px}
.card .value{font-size:30px;line-height:1.15;font-weight:680;letter-spacing:-.02em;margin-bottom:6px}
.card .label{font-size:14px;line-height:1.45;color:var(--soft)}
.card .more{font-size:13px;line-height:1.45;color:var(--muted);margin-top:4px}
.panel{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px 26px;margin:0 0 20px}
figure.panel{margin:0 0 20px}
figcaption{display:flow-root;font-weight:650;margin:0 0 14px;line-height:1.4}
figcaption .number{color:var(--muted);font-weight:500;margin-right:6px}
.take{float:right;display:flex;flex-wrap:wrap;gap:6px;margin-left:12px}
.take button{font:inherit;font-size:12px;font-weight:500;color:var(--muted);background:none;border:1px solid var(--line);border-radius:6px;padding:1px 8px;cursor:pointer}
.take button:hover,.take button:focus-visible{color:var(--ink);border-color:var(--rule)}
.lead{margin:0 0 10px;color:var(--soft)}
.plot,.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
.plot{position:relative;outline-offset:4px}
svg{display:block;width:100%;min-width:640px;height:auto;font-variant-numeric:tabular-nums}
svg.wide{min-width:940px}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:14.5px;line-height:1.45}
th{text-align:left;font-weight:500}
th,td{vertical-align:top}
.data th,.data td{padding:7px 14px 7px 0;border-bottom:1px solid var(--line)}
.data thead th{border-bottom:1.5px solid var(--rule);font-weight:620;vertical-align:bottom}
.data td,.data th.num{text-align:right;white-space:nowrap}
.data td.text{text-align:left;white-space:normal}
.data thead th.num{white-space:normal;max-width:13em}
.data td:last-child,.data th:last-child{padding-right:0}
.data tbody tr:last-child th,.data tbody tr:last-child td{border-bottom-color:var(--rule)}
.data .est{font-weight:600}
.data .ci,.data .place,.heading-n{display:block;color:var(--muted);font-weight:400;font-size:13.5px}
.data+.data{margin-top:16px}
.scroll+.scroll{margin-top:18px}
.minor-head{margin:18px 0 4px;font-size:13px;color:var(--muted)}
.minor{font-size:13px}
.minor th,.minor td{padding-top:4px;padding-bottom:4px;color:var(--soft)}
.minor .est{font-weight:400}
.data.baseline.many{font-size:13.5px}.data.baseline.many th,.data.baseline.many td{padding-right:9px}.data.baseline.many thead th.num{max-width:7.5em}
.data.baseline.many th:last-child,.data.baseline.many td:last-child{padding-right:0}
.baseline th.sub{padding-left:18px;color:var(--soft);white-space:nowrap}
.data.baseline tbody th.sub2{padding-left:36px}
.baseline tbody tr th,.baseline tbody tr td{border-bottom:0;padding-top:2px;padding-bottom:2px}
.baseline tbody tr.item th{font-weight:620;padding-top:12px}
.baseline tbody tr:last-child th,.baseline tbody tr:last-child td{border-bottom:1px solid var(--line);padding-bottom:10px}
.facts th{width:11.5em;color:var(--muted);padding:8px 18px 8px 0}
.facts td{padding:8px 0}
.facts tr+tr th,.facts tr+tr td{border-top:1px solid var(--line)}
.facts code{overflow-wrap:anywhere}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--soft);background:var(--tint);border-radius:4px;padding:1px 5px}
ul.plain{list-style:none;margin:0;padding:0}
ul.plain li+li{margin-top:6px}
.dim,.rule{color:var(--muted)}
.rule{font-size:13.5px;margin-top:2px}
.by-visit tbody th,.by-visit tbody td{border-bottom:0;padding-top:3px;padding-bottom:3px}
.by-visit tbody tr.visit th{font-weight:620;padding-top:11px}
.by-visit tr>:first-child{padding-left:10px}
.by-visit tr>:last-child{padding-right:10px}
.data.by-visit tbody th.sub{padding-left:28px;color:var(--soft)}
.by-visit tbody tr:last-child th,.by-visit tbody tr:last-child td{border-bottom:1px solid var(--line);padding-bottom:10px}
.by-visit tbody:last-child tr:last-child th,.by-visit tbody:last-child tr:last-child td{border-bottom-color:var(--rule)}
.data.by-visit td.same{text-align:left;color:var(--muted);padding-left:14px}
.by-visit tbody.here th,.by-visit tbody.here td{background:var(--here)}
.by-visit tbody.here tr th:first-child{background:var(--here)}
.tag{display:inline-block;margin-left:10px;padding:0 8px;border:1px solid var(--rule);border-radius:9px;font-size:12px;line-height:18px;font-weight:500;color:var(--soft)}
.data th.square,.data td.square{text-align:center;padding-left:4px;padding-right:4px}
.patterns td.square{font-size:16px;line-height:1}
.patterns td.square .unseen{color:var(--muted)}
.patterns tbody th,.patterns tbody td{padding-top:5px;padding-bottom:5px}
.patterns tr.total th,.patterns tr.total td{font-size:13px;color:var(--soft);font-weight:500}
.patterns thead th.square{font-weight:500;font-size:12.5px;min-width:3.4em}
.patterns thead th.num{min-width:6.2em}
details{margin-top:16px}
summary{cursor:pointer;color:var(--accent);font-size:13.5px}
.grid{font-size:13px}
.grid th,.grid td{padding:6px 4px;border-bottom:1px solid var(--line);text-align:center}
.grid thead th{min-width:3.6em}
.grid th[scope=row],.grid thead th:first-child{text-align:left;white-space:nowrap;padding-right:12px}
.grid th[scope=row],.grid thead th:first-child,.data tbody th:first-child,.data thead th:first-child{position:sticky;left:0;background:var(--card)}
.grid thead th{font-weight:620;border-bottom:1.5px solid var(--rule)}
.grid .window{display:block;color:var(--muted);font-size:12px}
.grid .dot{color:var(--accent)}
.grid .any{color:var(--muted);background:var(--tint)}
.meta{margin:0 0 2px;color:var(--muted);font-size:14px}
.meta+.scroll{margin-top:14px}
.problem{margin:14px 0 0;background:var(--warn-back);border:1px solid var(--warn-line);border-radius:8px;color:var(--warn);padding:10px 14px}
.problem-inline{color:var(--warn)}
.note,.notes{color:var(--muted);font-size:13px;line-height:1.5}
.note{margin:12px 0 0}
.notes{margin:12px 0 0;padding-left:1.5em}
sup{font-size:.72em;line-height:0;margin-left:.15em;color:var(--muted);font-weight:400}
.inwords p{margin:0;font-size:17px;line-height:1.6;max-width:46em}
.inwords p+p{margin-top:10px}
.prose p{margin:0 0 12px;max-width:48em}
.methods{margin:0;padding-left:1.2em}
.methods li+li{margin-top:8px}
.hover{pointer-events:none}
.hover rect{fill:#fff;fill-opacity:.95;stroke:#c3cad6}
.hover path{stroke:#98a2b3;stroke-dasharray:3 3}
@media screen and (prefers-color-scheme:dark){
:root{--ink:#e8ecf2;--soft:#c3cad6;--muted:#a3adbb;--line:#2a3340;--rule:#46505f;--page:#0f141b;--card:#171d26;--tint:#1e2530;--here:#202a38;--accent:#5cc0dd;--warn:#f2c078;--warn-back:#2b2113;--warn-line:#6e5221}
svg .ink{fill:#e8ecf2}svg .muted{fill:#a3adbb}svg .grid{stroke:#2a3340}svg .axis,svg .arrow{stroke:#5d6878}svg .arrowhead{fill:#5d6878}
svg .box{fill:#171d26;stroke:#46505f}svg .tint{fill:#1e2530}svg .mark{stroke:#171d26}svg .band{fill-opacity:.2}
svg .watermark{fill:#f2c078}svg .here{fill:#202a38}svg .hollow{fill:#171d26}svg .edge,svg .cut{stroke:#171d26}svg .dots{stroke:#45b3d0}svg .ink-line{stroke:#e8ecf2}svg .bar{fill:#5d6878}
svg .s0{stroke:#a8b1bf}svg .s1{stroke:#c9a98a}svg .s2{stroke:#45b3d0}svg .s3{stroke:#8aa6ff}svg .s4{stroke:#b893f5}svg .s5{stroke:#ee7fc0}svg .s6{stroke:#f58473}svg .s7{stroke:#e0a24c}
svg .f0{fill:#a8b1bf}svg .f1{fill:#c9a98a}svg .f2{fill:#45b3d0}svg .f3{fill:#8aa6ff}svg .f4{fill:#b893f5}svg .f5{fill:#ee7fc0}svg .f6{fill:#f58473}svg .f7{fill:#e0a24c}
.hover rect{fill:#1e2530;stroke:#46505f}.hover path{stroke:#a3adbb}
}
@media (max-width:640px){
main{padding:28px 16px 56px}
h1{font-size:26px}.subtitle{font-size:16px}h2{margin-top:44px;font-size:20px}
.cards{grid-template-columns:1fr 1fr;gap:10px}.card{padding:14px}.card .value{font-size:23px}
.panel{padding:18px 16px}
.facts th,.facts td{display:block;width:auto;padding:2px 0}.facts th{padding-top:10px}.facts tr+tr td{border-top:0}.facts td{padding-bottom:10px}
}
@media print{
@page{size:A4;margin:16mm 14mm}
:root{--ink:#000;--soft:#222;--muted:#444;--line:#d5d9e0;--rule:#999;--page:#fff;--card:#fff;--tint:#f4f5f7;--here:#eef0f3;--accent:#000}
body{font-size:10.5pt;background:#fff;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}
nav,.hover,.take{display:none}
h1{font-size:20pt}h2{font-size:14pt;margin:22pt 0 8pt}
h2,h3,figcaption,.meta,.minor-head{break-after:avoid}
figure,.card,.estimand,.inwords,tr{break-inside:avoid}
figure:has(.baseline),figure:has(.by-visit),figure:has(.patterns),figure:has(table.grid){break-inside:auto}
.baseline tbody,.by-visit tbody{break-inside:avoid}
details::details-content{content-visibility:visible;display:block;height:auto}
thead{display:table-header-group}
.panel,.card{border-radius:4px;padding:10pt 12pt}
.cards{grid-template-columns:1fr 1fr}
.plot,.scroll{overflow:visible}
svg,svg.wide{min-width:0}
table{font-size:9.5pt}
.grid{font-size:8pt}.grid thead th{min-width:0}.grid th,.grid td{padding:3pt 2pt}
.baseline{table-layout:fixed;hyphens:auto}.data.baseline.many{table-layout:auto;hyphens:manual;font-size:7.5pt}.data.baseline.many th,.data.baseline.many td{white-space:normal;overflow-wrap:normal;padding-right:3pt}.data.baseline.many tbody td{white-space:nowrap}.baseline thead th:first-child{width:19%}.data td,.baseline th.sub,.data th{white-space:normal;overflow-wrap:anywhere}.data th,.data td{padding-right:8pt}
.by-visit td,.by-visit th,.patterns td,.patterns th{overflow-wrap:normal;hyphens:none}
.by-visit tbody td,.by-visit tbody th,.patterns tbody td,.patterns tbody th{white-space:nowrap}
.patterns,.patterns .heading-n,.patterns tr.total th,.patterns tr.total td{font-size:8pt}.data.patterns tr.total th{white-space:normal}.patterns thead th.square,.patterns thead th.num{min-width:0}.patterns td,.patterns th{padding-right:5pt}
}
)css";

}  // namespace equipoise::report
