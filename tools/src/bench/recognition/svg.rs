//! The picture of `docs/recognition.md`: by kind of error, how many pairs of records each list finds.

use std::fmt::Write;

use super::report::{ListReport, Report};

const WIDTH: u32 = 760;
const LEFT: u32 = 250;
const RIGHT: u32 = 30;
const TOP: u32 = 84;
const ROW: u32 = 22;
/// Lists that have a colour of their own.
const COLOURS: usize = 3;

/// Draws it. Colours follow the reader's preference for light or dark.
pub(crate) fn draw(report: &Report) -> String {
    let lists: Vec<&ListReport> = report.lists.iter().take(COLOURS).collect();
    let rows = lists.first().map_or(0, |list| list.errors.len());
    let height = TOP + ROW * rows as u32 + 40;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Share of pairs found by kind of error\">\n{STYLE}"
    );
    text(&mut out, 16, 24, "title", "Two records of one person, one of them with this error: share found");
    for (number, list) in lists.iter().enumerate() {
        let x = LEFT + 110 * number as u32;
        mark(&mut out, number, f64::from(x), f64::from(TOP - 36));
        text(&mut out, x + 12, TOP - 32, "", &list.total.method);
    }
    axis(&mut out, height);
    for row in 0..rows {
        draw_row(&mut out, &lists, row);
    }
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>\n\
  svg { font: 12px system-ui, sans-serif; background: #fff; }\n\
  text { fill: #24292f; } .title { font-size: 14px; font-weight: 600; } .end { text-anchor: end; }\n\
  .middle { text-anchor: middle; fill: #57606a; } .grid { stroke: #d0d7de; } .bound { stroke-width: 2; }\n\
  .l0 { fill: #0550ae; stroke: #0550ae; } .l1 { fill: #bc4c00; stroke: #bc4c00; } .l2 { fill: #1a7f37; stroke: #1a7f37; }\n\
  @media (prefers-color-scheme: dark) {\n\
    svg { background: #0d1117; } text { fill: #e6edf3; } .middle { fill: #8b949e; } .grid { stroke: #30363d; }\n\
    .l0 { fill: #79c0ff; stroke: #79c0ff; } .l1 { fill: #ffa657; stroke: #ffa657; } .l2 { fill: #7ee787; stroke: #7ee787; }\n\
  }\n</style>\n";

fn x_of(share: f64) -> f64 {
    f64::from(LEFT) + share * f64::from(WIDTH - LEFT - RIGHT)
}

fn axis(out: &mut String, height: u32) {
    for tenth in 0..=10 {
        let x = x_of(f64::from(tenth) / 10.0);
        let (top, bottom) = (TOP - 10, height - 32);
        let _ =
            writeln!(out, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>");
        if tenth % 2 == 0 {
            text(out, x as u32, height - 14, "middle", &format!("{} %", 10 * tenth));
        }
    }
}

fn draw_row(out: &mut String, lists: &[&ListReport], row: usize) {
    let y = TOP + ROW * row as u32 + ROW / 2;
    text(out, LEFT - 12, y + 4, "end", lists[0].errors[row].error);
    for (number, list) in lists.iter().enumerate() {
        let share = &list.errors[row].alone;
        if share.of == 0 {
            continue;
        }
        let y = f64::from(y) + 5.0 * (number as f64 - 1.0);
        let (low, high) = (x_of(share.low), x_of(share.high));
        let _ = writeln!(
            out,
            "<line class=\"bound l{number}\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
        );
        mark(out, number, x_of(share.value), y);
    }
}

/// Circle, square and diamond, so that colour is not needed to tell them apart.
fn mark(out: &mut String, number: usize, x: f64, y: f64) {
    let _ = match number {
        0 => writeln!(out, "<circle class=\"l0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"),
        1 => writeln!(
            out,
            "<rect class=\"l1\" x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\"/>",
            x - 3.0,
            y - 3.0
        ),
        _ => writeln!(out, "<path class=\"l2\" d=\"M{x:.1} {:.1} l4 4 l-4 4 l-4 -4 z\"/>", y - 4.0),
    };
}

fn text(out: &mut String, x: u32, y: u32, class: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{content}</text>");
}
