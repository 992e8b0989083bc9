namespace Imapsync.CommandLine.Pages;

/// <summary>The report page's style sheet: light and dark, from 320 pixels wide, and for printing.</summary>
internal static class PageStyle
{
    public const string Css = """

        :root { --back: #f6f7f9; --card: #fff; --ink: #1d2126; --dim: #5b6570; --rule: #dfe3e8; --blue: #2563c9; --wash: #dbe7fb; --good: #1a7f4b; --bad: #b3261e; --warn: #8a5a00; }
        @media screen and (prefers-color-scheme: dark) {
          :root { --back: #121417; --card: #1b1f24; --ink: #e6e9ed; --dim: #9aa5b1; --rule: #333a43; --blue: #7aa7f5; --wash: #26364f; --good: #5cc98f; --bad: #ff8a80; --warn: #f0bd5c; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
        main { max-width: 1100px; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.6rem; margin: .5rem 0 0; } h2 { font-size: 1.25rem; margin: 0; } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
        section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
        p { margin: .4rem 0; } a { color: var(--blue); }
        .dim, .label, dt, figcaption, .dates, .scale { color: var(--dim); } .label, figcaption, .dates, .scale, dt { font-size: .85rem; }
        .remark { border-left: 3px solid var(--warn); padding-left: .6rem; }
        .badge { display: inline-block; font-size: .8rem; font-weight: 600; border: 1px solid; border-radius: 1rem; padding: 0 .6rem; white-space: nowrap; vertical-align: middle; }
        .ok { color: var(--good); } .warn { color: var(--warn); } .old, .bad { color: var(--bad); }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
        dt { margin: 0; } dd { margin: 0; font-weight: 600; } dd.dim { font-weight: 400; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 1.25rem; margin: 1rem 0; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.25rem; align-items: start; }
        figure { margin: 0; min-width: 0; }
        .plot { display: flex; gap: .4rem; height: 120px; } .plot svg { flex: 1; min-width: 0; height: 100%; border-bottom: 1px solid var(--rule); }
        .scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; min-width: 4rem; white-space: nowrap; }
        .dates { display: flex; justify-content: space-between; padding-left: 4.4rem; }
        .line { fill: none; stroke: var(--blue); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
        .area { fill: var(--wash); stroke: none; } rect.bar { fill: var(--blue); } rect.good { fill: var(--good); } rect.bad { fill: var(--bad); }
        .marks { display: block; width: 100%; height: 20px; } .spark { display: block; width: 80px; height: 18px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th { text-align: left; color: var(--dim); font-weight: 500; white-space: nowrap; } th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
        td { white-space: nowrap; } .name { white-space: normal; min-width: 8rem; overflow-wrap: anywhere; } .way, .problems, .remark { overflow-wrap: anywhere; } th.n, .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .share { width: 6rem; min-width: 3rem; } .share svg { display: block; width: 100%; height: 10px; margin-top: .35rem; }
        .problems { list-style: none; margin: 0; padding: 0; } .problems li { border-top: 1px solid var(--rule); padding: .5rem 0; }
        .problems li > * { display: block; } .problems code { font-size: .8rem; color: var(--dim); }
        q { quotes: none; border-left: 3px solid var(--rule); padding-left: .6rem; margin: .2rem 0; }
        .place:empty { display: none; }
        @media (max-width: 480px) { main { padding: .5rem; } section { padding: .75rem; } table { font-size: .85rem; } .share { display: none; } }
        @media print {
          body { background: #fff; font-size: 10pt; } main { max-width: none; padding: 0; } section { border: 0; padding: 0; break-before: auto; }
          .scroll { overflow: visible; } figure, tr, li { break-inside: avoid; } h2, h3 { break-after: avoid; } rect { print-color-adjust: exact; } svg { print-color-adjust: exact; }
        }

        """;
}
