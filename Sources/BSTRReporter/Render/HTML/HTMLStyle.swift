// The look of the page, in both colour schemes and on paper.

/// The style sheet.
enum HTMLStyle {
  /// Its text.
  static let text = """
    :root{--bg:#fff;--fg:#1d2329;--mut:#5b6670;--line:#dde2e7;--card:#f6f8fa;--link:#0a58ca;--bad:#b3261e;--badbg:#fdeceb;
    --warn:#8a5300;--warnbg:#fff4de;--good:#1b6e3c;--goodbg:#e6f5ec;--own:#0b5c8a;--ownbg:#e4f2fb;--box:#7b8794;
    --way:#9fb3c8;--mark:#ffe066}
    @media (prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e6eaee;--mut:#9aa6b2;--line:#2d343b;--card:#1c2126;
    --link:#7ab7ff;--bad:#ff8b80;--badbg:#3a1f1d;--warn:#ffc46b;--warnbg:#372a14;--good:#79d39b;--goodbg:#183222;
    --own:#7cc7f2;--ownbg:#152d3c;--box:#8b98a5;--way:#4a5b6c;--mark:#6b5900}}
    *{box-sizing:border-box}
    [hidden],.scripts #list tbody+tbody{display:none!important}
    html{scroll-behavior:smooth;scroll-padding-top:1rem}
    body{margin:0 auto;max-width:72rem;padding:0 1rem 4rem;background:var(--bg);color:var(--fg);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    code,pre,.where,.name,.stack{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    code,.name,.where{font-size:.9em;overflow-wrap:anywhere}
    .name{display:inline-block;max-width:100%;max-height:9em;overflow:auto;vertical-align:bottom}
    td.name{display:table-cell}
    a{color:var(--link)}
    :focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:2px}
    .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--bg);padding:.3rem .6rem}
    header{padding:1.5rem 0 .5rem}
    .tool{margin:0;color:var(--mut);font-weight:600;letter-spacing:.02em}
    h1{margin:.1rem 0;font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere}
    h2{margin:2.5rem 0 .6rem;font-size:1.25rem}
    h3,h4{margin:0 0 .4rem;font-size:1.05rem}
    .scroll+h3{margin-top:1.4rem}h4{margin-top:.8rem;font-size:.9rem;color:var(--mut);font-weight:600}
    .program{margin:.2rem 0 1rem;color:var(--mut)}
    .tiles{display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;margin:0;padding:0}
    .tiles li{padding:.5rem .9rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
    .tiles b{font-size:1.25rem}.tiles span{color:var(--mut)}.tiles .bad b{color:var(--bad)}
    .notes{margin:1rem 0 0;padding:.6rem 1rem .6rem 2rem;border-radius:.5rem;background:var(--warnbg);color:var(--warn);
    overflow-wrap:anywhere}
    .note{color:var(--mut)}
    .scroll{overflow-x:auto;background:linear-gradient(90deg,var(--bg) 30%,transparent) left/3rem 100% no-repeat local,
    linear-gradient(270deg,var(--bg) 30%,transparent) right/3rem 100% no-repeat local,
    linear-gradient(90deg,var(--line),transparent) left/.8rem 100% no-repeat scroll,
    linear-gradient(270deg,var(--line),transparent) right/.8rem 100% no-repeat scroll}
    #shown{margin:0 0 .6rem;color:var(--mut)}#shown:empty{display:none}
    table{border-collapse:collapse;width:100%;font-size:.92rem}
    th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    th{color:var(--mut);font-weight:600;white-space:nowrap}
    th button{all:unset;cursor:pointer}th button:focus-visible{outline:2px solid var(--link)}
    th[aria-sort=ascending] button::after{content:" \\25B4"}th[aria-sort=descending] button::after{content:" \\25BE"}
    .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    #list td:nth-child(n+3):not(:nth-child(5),:nth-child(6),:nth-child(7)){font:.88rem/1.7 ui-monospace,SFMono-Regular,Menlo,
    Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere;min-width:8rem}
    @media (min-width:40rem){#list{table-layout:fixed}#list th:nth-child(1){width:4.2rem}#list th:nth-child(2){width:10.5rem}
    #list th:nth-child(5){width:5rem}#list th:nth-child(6){width:5.5rem}#list th:nth-child(7){width:6.5rem}
    #list td:nth-child(8),#list th:nth-child(8){padding-left:1.4rem}}
    #list td:nth-child(2){white-space:nowrap;font-weight:600}#list td:nth-child(5){white-space:nowrap}
    #list td:nth-child(6),#list td:nth-child(7){text-align:right;font-variant-numeric:tabular-nums}
    .k{font-style:normal;font-size:.82rem;font-weight:600;padding:.1rem .45rem;border-radius:1rem;white-space:nowrap}
    .k.leak{background:var(--warnbg);color:var(--warn)}.k.fault{background:var(--badbg);color:var(--bad)}
    form{display:flex;flex-wrap:wrap;gap:.5rem;margin:0 0 .6rem}
    input,select,button{font:inherit;font-size:.92rem;color:inherit;background:var(--card);border:1px solid var(--line);
    border-radius:.35rem;padding:.25rem .5rem;max-width:100%}
    output{align-self:center;color:var(--mut)}input[type=search]{flex:1 1 12rem}button{cursor:pointer}
    .finding{margin:1.2rem 0;padding:1rem 1.1rem;border:1px solid var(--line);border-radius:.6rem}
    .finding:target{border-color:var(--link)}
    .finding h3{display:flex;flex-wrap:wrap;gap:.6rem;align-items:baseline}
    .no{color:var(--mut)}.size{color:var(--mut);font-weight:400}
    .say{margin:.3rem 0;font-size:1.1rem;font-weight:600;overflow-wrap:anywhere}
    .advice{margin:.5rem 0;padding:.5rem .8rem;border-left:4px solid var(--own);background:var(--ownbg);border-radius:.2rem;
    overflow-wrap:anywhere}
    .story{display:flex;flex-wrap:wrap;list-style:none;margin:1rem 0 .4rem;padding:0;gap:.5rem 1.6rem}
    .story li{position:relative;flex:1 1 11rem;max-width:22rem;padding:.5rem .7rem;border:1px solid var(--line);
    border-radius:.5rem;background:var(--card);min-width:0}
    .story li+li::before{content:"\\2192";position:absolute;left:-1.35rem;top:.7rem;color:var(--mut)}
    .story span,.story code,.story em{display:block}.story span:first-child{color:var(--mut);font-size:.85rem}
    .story .where{color:var(--mut)}.story em{font-style:normal;font-weight:600;color:var(--own)}
    .story em{overflow-wrap:anywhere}
    .story .end{border-color:var(--bad);background:var(--badbg)}.story .end span:first-child,.story .end em{color:var(--bad);
    font-weight:600}
    .siblings,.why,.finding p{overflow-wrap:anywhere}.siblings,.why{color:var(--mut);margin:.4rem 0}
    figure{margin:.8rem 0;min-width:0}figcaption{color:var(--mut);font-size:.85rem;overflow-wrap:anywhere}
    pre{margin:.2rem 0 0;padding:.5rem 0;background:var(--card);border:1px solid var(--line);border-radius:.4rem;
    overflow-x:auto;font-size:.88rem;line-height:1.5;tab-size:4}
    .rule pre{padding:.5rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere}
    .line{display:block;padding:0 .8rem;white-space:pre}.line i{display:inline-block;min-width:2.4rem;color:var(--mut);
    font-style:normal;user-select:none}.line b{margin-left:1.5rem;font-weight:600;font-family:system-ui,sans-serif}
    .line.owner{background:var(--ownbg)}.line.owner b{color:var(--own)}.line.out{background:var(--badbg)}
    .line.out b{color:var(--bad)}.line.free{background:var(--goodbg)}.line.free b{color:var(--good)}
    .gap{display:block;padding:0 .8rem;color:var(--mut)}
    .facts{display:grid;grid-template-columns:auto 1fr;gap:.1rem .9rem;margin:.6rem 0;font-size:.92rem}
    .facts dt{color:var(--mut)}.facts dd{margin:0;overflow-wrap:anywhere;min-width:0;max-height:9em;overflow:auto}
    details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}
    .stack{margin:.2rem 0;padding-left:2rem;font-size:.88rem}.stack .where,.stack em{color:var(--mut)}
    .stack .owner{background:var(--ownbg)}.stack b{color:var(--own)}.context{color:var(--mut);font-size:.88rem}
    .suppress{color:var(--mut);font-size:.9rem;margin-bottom:0}
    .pair{display:flex;flex-wrap:wrap;gap:1rem}.pair figure{flex:1 1 18rem;margin:0}
    .rule{margin:1.2rem 0}.change.new,.change.grown,.never{color:var(--bad)}.change.gone,.change.shrunk{color:var(--good)}
    svg text{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--fg)}
    svg{display:block;width:100%;min-width:46rem;height:auto}
    svg .head{font:600 13px system-ui,sans-serif;fill:var(--mut)}svg .c{fill:var(--mut)}
    svg .never{fill:var(--bad)}svg .box{fill:var(--box)}svg .way{fill:var(--way);opacity:.35}
    svg .lost{fill:var(--bad);opacity:.35}svg .way:hover,svg .lost:hover{opacity:.7}
    .flame{position:relative;overflow:hidden;border:1px solid var(--line);border-radius:.4rem;background:var(--card)}
    .flame button{position:absolute;height:20px;padding:0 4px;border:0;border-right:1px solid var(--bg);
    border-bottom:1px solid var(--bg);border-radius:0;text-align:left;font:12px/19px ui-monospace,Menlo,Consolas,
    "DejaVu Sans Mono",monospace;color:#1d2329;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    @media (prefers-color-scheme:dark){.flame button{filter:brightness(.82)}}
    .flame button.hit{background:#ffe066!important}.flame button.above{opacity:.55}
    .flame button:focus-visible{outline:2px solid var(--fg);outline-offset:-2px;z-index:1}
    #detail{min-height:3em;margin:.4rem 0;color:var(--mut);font-size:.9rem;overflow-wrap:anywhere}
    @media (max-width:40rem){h1{font-size:1.5rem}.finding{padding:.8rem}#list thead{display:none}
    #list,#list tbody,#list tr,#list td{display:block;width:100%}#list tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
    #list td{border:0;padding:.05rem 0;text-align:left!important}#list td:empty{display:none}
    #list td:nth-child(-n+2){display:inline-block;width:auto;margin-right:.6rem}.line b{display:block;margin-left:2.4rem}
    #list td:nth-child(6)::before{content:"BSTRs "}#list td:nth-child(7)::before{content:"Bytes "}
    #list td::before{color:var(--mut)}.line{white-space:pre-wrap;overflow-wrap:anywhere}
    .story li{flex-basis:100%;max-width:100%}.story li+li::before{content:"\\2193";left:1rem;top:-1.3rem}
    .story{gap:1.2rem}}
    @media print{body{max-width:none;padding:0}#flame,form,.copy,.skip{display:none!important}
    .finding,.rule{break-inside:avoid}details>*{display:block}a{color:inherit;text-decoration:none}}
    @media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}

    """
}
