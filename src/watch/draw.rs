//! One frame, on a screen of any size: less where there is less room.

use super::columns::{GAP, NodeColumn, ODD, columns_of_text, columns_on_screen, counted};
use super::picture::{ClosingPump, DrainerReading, Happening, Picture};
use super::suggestions::Suggestion;
use super::view::{View, ViewPage};
use crate::node::NodeRef;
use crate::output::{Format, Look, Tone, render};
use crate::text::on_one_line;
use crate::time::{Time, Zone, show_seconds};
use crate::value::Value;
use crate::world::{LockInfo, LockOwner};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use std::cell::Cell;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many lines at the top are given to what stands in the way.
const TROUBLE: usize = 3;

/// How much of what happened a frame of text has.
const HAPPENED_IN_TEXT: usize = 5;

/// The keys, as many as there is room for; `?` is always among them.
const KEYS: [&str; 3] = [
    "q quit  / filter  Enter details  p probe  d doctor  a act  ? help",
    "q quit  / filter  a act  ? help",
    "q quit  ? help",
];

const HELP: [(&str, &str); 12] = [
    ("up down, j k", "choose a node; PageUp, PageDown, Home, End as well"),
    ("/", "show only nodes that say what is typed; Esc shows all again"),
    ("Enter", "what the node says of itself: status, metrics, certificate"),
    ("p", "ask the node now, also one that is offline"),
    ("d", "what doctor finds about it; takes some ten seconds"),
    ("a", "choose a call about it, and take it along to the prompt"),
    ("f", "let the time of a sandbox run faster"),
    ("q, Ctrl-C", "leave; on a page like this, q and Esc lead back"),
    ("Ctrl-Z", "stop; `fg` goes on"),
    ("last 5m", "lag, a block for each quarter of a minute; a full block is 10 s, or the most"),
    ("gc in", "when GC comes to what the Drainer has not read, if it stands still"),
    ("probe", "what the node itself answered; with ? it may be true no more"),
];

/// Above how far each Drainer is.
const POSITIONS: &str = "positions of Drainers in each Pump, behind when asked";

/// A piece of a line.
type ToneSpan = (String, Tone);

/// A line of the screen.
#[derive(Default)]
struct ScreenLine {
    spans: Vec<ToneSpan>,
    is_chosen: bool,
}

impl ScreenLine {
    fn of(text: impl Into<String>, tone: Tone) -> Self {
        Self { spans: vec![(text.into(), tone)], is_chosen: false }
    }
}

/// Draws the view.
pub(crate) fn draw(area: Rect, buffer: &mut Buffer, view: &View) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let lines = frame(view, width, height);
    for (at, line) in lines.iter().take(height).enumerate() {
        write(area, buffer, at, line, view.colors);
    }
}

/// A frame of text, as high as it needs to be.
pub(crate) fn as_text(view: &View, width: u16) -> String {
    let lines = text_frame(view, width.into());
    let area = Rect::new(0, 0, width, u16::try_from(lines.len()).unwrap_or(u16::MAX));
    let mut buffer = Buffer::empty(area);
    for (at, line) in lines.iter().take(area.height.into()).enumerate() {
        write(area, &mut buffer, at, line, false);
    }
    let rows = buffer.content.chunks(width.max(1).into());
    let text = |row: &[ratatui::buffer::Cell]| {
        let mut text = String::new();
        let mut covered = 0;
        for cell in row {
            if covered == 0 {
                text.push_str(cell.symbol());
                covered = cell.symbol().width().saturating_sub(1);
            } else {
                covered -= 1;
            }
        }
        text.trim_end().to_owned() + "\n"
    };
    rows.map(text).collect()
}

/// All of it, one below the other, for whoever reads it later.
fn text_frame(view: &View, width: usize) -> Vec<ScreenLine> {
    let happened = happened(&view.picture.happened);
    let from = happened.len().saturating_sub(HAPPENED_IN_TEXT);
    let mut lines = head(view, width);
    lines.extend(nobody(view).unwrap_or_else(|| table(view, columns_of_text(&view.visible(), width), None)));
    lines.extend(section(ODD, odd_in_full(view, width)));
    lines.extend(section(POSITIONS, waits(&view.picture, width)));
    lines.extend(section("happened", happened.into_iter().skip(from).collect()));
    lines
}

/// What stands on a screen of this size.
fn frame(view: &View, width: usize, height: usize) -> Vec<ScreenLine> {
    let mut lines = head(view, width);
    let foot = foot(view, width);
    let room = height.saturating_sub(lines.len() + foot.len());
    let middle = match &view.page {
        ViewPage::Nodes => nodes(view, width, room),
        ViewPage::Help => help(width),
        ViewPage::Shown { title, value, from } => shown(title, value, from, width, room),
        ViewPage::Suggestions { node, all, at } => suggested(node, all, *at, room),
    };
    lines.extend(middle);
    lines.resize_with(height.saturating_sub(foot.len()), ScreenLine::default);
    lines.extend(foot);
    lines
}

/// Where, when, how many; then what stands in the way, or who works.
fn head(view: &View, width: usize) -> Vec<ScreenLine> {
    let picture = &view.picture;
    let time = match picture.unix_ms {
        0 => String::new(),
        ms => Time::new(ms, Zone::Utc).format("%Y-%m-%d %H:%M:%S UTC"),
    };
    let speed = if view.speed > 1 { format!("  time x{}", view.speed) } else { String::new() };
    let mut first = vec![(on_one_line(&view.place).into_owned(), Tone::Strong), (speed, Tone::Odd)];
    let counted = if picture.is_known { counted(&picture.nodes) } else { String::new() };
    // Where there is little room the time of day matters least.
    let rest = [format!("  {counted}  {time}"), format!("  {counted}")];
    let used: usize = first.iter().map(|(text, _)| text.width()).sum();
    let rest = rest.iter().find(|rest| used + rest.width() <= width).cloned().unwrap_or_default();
    first.push((rest, Tone::Plain));
    let first = ScreenLine { spans: first, is_chosen: false };
    std::iter::once(first).chain(state(view, picture, width)).collect()
}

/// What stands in the way, or who works.
fn state(view: &View, picture: &Picture, width: usize) -> Vec<ScreenLine> {
    let told = |text: String, tone| {
        let lines = textwrap::wrap(&text, width.max(1)).into_iter().take(TROUBLE);
        lines.map(|line| ScreenLine::of(line.into_owned(), tone)).collect()
    };
    if let Some((text, seconds)) = &picture.trouble {
        let text = on_one_line(text);
        return told(format!("PD's etcd tells nothing for {}: {text}", show_seconds(*seconds)), Tone::Bad);
    }
    if let Some(time) = view.stale {
        let seconds = show_seconds(time.as_secs_f64());
        return told(format!("nothing new for {seconds}: waiting for an answer"), Tone::Odd);
    }
    if !picture.is_known {
        return told("reading the records".to_owned(), Tone::Faint);
    }
    let mut spans = vec![match &picture.lock {
        None => ("maintenance lock: free".to_owned(), Tone::Faint),
        Some(lock) => (format!("maintenance lock: {}", holder(lock)), Tone::Odd),
    }];
    if !picture.has_time && !picture.nodes.is_empty() {
        spans.push(("  PD gives no timestamp: lag is not known".to_owned(), Tone::Bad));
    }
    if let Some(first) = picture.malformed.first() {
        let more = picture.malformed.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        spans.push((format!("  no record: {}{more}", first.key), Tone::Bad));
    }
    vec![ScreenLine { spans, is_chosen: false }]
}

/// Who holds the lock, and what for; when it was taken is told by what happened.
fn holder(lock: &LockInfo) -> String {
    match &lock.owner {
        LockOwner::Holder { holder, .. } => holder.to_string(),
        LockOwner::Foreign(_) => "held by another program".to_owned(),
    }
}

/// The line for what matters just now, and the keys.
fn foot(view: &View, width: usize) -> Vec<ScreenLine> {
    let about = match (&view.note, view.selected_node()) {
        (Some(note), _) => ScreenLine::of(on_one_line(note), Tone::Note),
        (None, Some(node)) => {
            let NodeRef { id, address, .. } = &node.node.record.node;
            let asked = node.asked_ago.map_or(String::new(), |ago| format!(", asked {} ago", show_seconds(ago)));
            let odd = if node.odd.is_empty() { String::new() } else { format!(": {}", node.odd.join("; ")) };
            ScreenLine::of(format!("{id} at {address}{asked}{}", on_one_line(&odd)), Tone::Plain)
        }
        (None, None) => ScreenLine::default(),
    };
    let keys = match view.page {
        ViewPage::Help => ScreenLine::of("any key leads back", Tone::Faint),
        ViewPage::Shown { .. } => ScreenLine::of("q back  j k scroll", Tone::Faint),
        ViewPage::Suggestions { .. } => ScreenLine::of("Enter takes it along  q back  j k choose", Tone::Faint),
        ViewPage::Nodes if view.is_typing || !view.filter.is_empty() => {
            let cursor = if view.is_typing { "_" } else { "" };
            let end = if view.is_typing { "  (Enter keeps it, Esc shows all)" } else { "  (Esc shows all)" };
            ScreenLine {
                spans: vec![
                    (format!("/{}{cursor}", on_one_line(&view.filter)), Tone::Strong),
                    (end.to_owned(), Tone::Faint),
                ],
                is_chosen: false,
            }
        }
        ViewPage::Nodes => {
            let faster = if view.speeds.len() > 1 { "  f faster  ? help" } else { "  ? help" };
            let all = KEYS.map(|keys| keys.replace("  ? help", faster));
            let keys = all.iter().find(|keys| keys.width() <= width).unwrap_or(&all[KEYS.len() - 1]);
            ScreenLine::of(keys.as_str(), Tone::Faint)
        }
    };
    vec![about, keys]
}

/// What stands in the place of the table where there is no node.
fn nobody(view: &View) -> Option<Vec<ScreenLine>> {
    let text = match view.picture.is_known {
        true => "(no Pump and no Drainer has a record)",
        false => "(no record was read yet)",
    };
    view.picture.nodes.is_empty().then(|| vec![ScreenLine::of(text, Tone::Faint)])
}

/// The table, who waits for whom, what happened.
fn nodes(view: &View, width: usize, room: usize) -> Vec<ScreenLine> {
    if let Some(nobody) = nobody(view) {
        return nobody;
    }
    let table = table(view, columns_on_screen(&view.visible(), width), view.at());
    let waits = waits(&view.picture, width);
    let happened = happened(&view.picture.happened);
    let (for_waits, for_happened) = shares(table.len(), waits.len(), happened.len(), room);
    let for_table = room.saturating_sub(for_waits + for_happened);
    let mut lines = table.into_iter();
    let title = lines.next();
    let at = view.at().unwrap_or(0);
    let rows: Vec<ScreenLine> = lines.collect();
    let shown: Vec<ScreenLine> = title.into_iter().chain(some_rows(rows, at, for_table.saturating_sub(1))).collect();
    let rest = room.saturating_sub(shown.len());
    let waits: Vec<ScreenLine> = section(POSITIONS, waits).into_iter().take(for_waits).collect();
    let for_happened = rest.saturating_sub(waits.len() + 1);
    let from = happened.len().saturating_sub(for_happened);
    let happened = section("happened", happened.into_iter().skip(from).collect());
    shown.into_iter().chain(waits).chain(happened.into_iter().take(rest)).collect()
}

/// How many lines who waits for whom is given, and what happened: the table goes first.
fn shares(table: usize, waits: usize, happened: usize, room: usize) -> (usize, usize) {
    let with_title = |lines: usize| if lines == 0 { 0 } else { lines + 1 };
    let (waits, happened) = (with_title(waits), with_title(happened));
    let left = room.saturating_sub(table);
    if left >= waits + happened {
        return (waits, happened);
    }
    // Neither vanishes behind a long table, unless the screen is low.
    let least = if room < 14 { 0 } else { 3 };
    let for_waits = waits.min((left / 2).max(least));
    (for_waits, happened.min(left.saturating_sub(for_waits).max(least)))
}

fn section(title: &str, lines: Vec<ScreenLine>) -> Vec<ScreenLine> {
    match lines.is_empty() {
        true => Vec::new(),
        false => std::iter::once(ScreenLine::of(title, Tone::Strong)).chain(lines).collect(),
    }
}

/// As many of these lines as there is room for, the chosen one among them.
fn window(lines: Vec<ScreenLine>, chosen: usize, room: usize) -> Vec<ScreenLine> {
    let from = (chosen + 1).saturating_sub(room).min(lines.len().saturating_sub(room));
    lines.into_iter().skip(from).take(room).collect()
}

/// The rows that there is room for, and how many there are beside them.
fn some_rows(rows: Vec<ScreenLine>, chosen: usize, room: usize) -> Vec<ScreenLine> {
    let hidden = rows.len().saturating_sub(room.saturating_sub(1));
    if rows.len() <= room || room < 2 {
        return window(rows, chosen, room);
    }
    let mut shown = window(rows, chosen, room - 1);
    shown.push(ScreenLine::of(format!("({hidden} more nodes)"), Tone::Faint));
    shown
}

fn table(view: &View, columns: Vec<NodeColumn>, chosen: Option<usize>) -> Vec<ScreenLine> {
    let visible = view.visible();
    let header = columns.iter().enumerate().map(|(at, column)| (padded(column.title, column, at), Tone::Strong));
    let row = |row: usize| {
        let cells = columns.iter().enumerate().map(|(at, column)| {
            let (text, tone) = &column.cells[row];
            (padded(text, column, at), *tone)
        });
        ScreenLine { spans: cells.collect(), is_chosen: chosen == Some(row) }
    };
    let header = ScreenLine { spans: header.collect(), is_chosen: false };
    let mut lines: Vec<ScreenLine> = std::iter::once(header).chain((0..visible.len()).map(row)).collect();
    if visible.is_empty() {
        lines.push(ScreenLine::of("(no node says that)", Tone::Faint));
    }
    lines
}

/// What is odd, where the table has no room for it: on a screen the last lines tell it of the chosen node.
fn odd_in_full(view: &View, width: usize) -> Vec<ScreenLine> {
    let columns = columns_of_text(&view.visible(), width);
    let column = columns.iter().find(|column| column.title == ODD);
    let is_cut = |at: usize| column.is_none_or(|column| column.cells[at].0.width() > column.width);
    let odd = view.visible().into_iter().enumerate().filter(|(at, node)| !node.odd.is_empty() && is_cut(*at));
    let told = odd.flat_map(|(_, node)| {
        let text = format!("{}: {}", node.node.id(), on_one_line(&node.odd.join("; ")));
        let options = textwrap::Options::new(width.max(1)).subsequent_indent("  ");
        textwrap::wrap(&text, options).into_iter().map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
    });
    told.map(|line| ScreenLine::of(line, Tone::Odd)).collect()
}

/// A cell in the column that is the `at`th, with the gap before it.
fn padded(text: &str, column: &NodeColumn, at: usize) -> String {
    let text = match column.keeps_its_end {
        true => text.chars().skip(text.chars().count().saturating_sub(column.width)).collect(),
        false => cut(text, column.width),
    };
    let blanks = " ".repeat(column.width.saturating_sub(text.width()));
    let gap = " ".repeat(if at == 0 { 0 } else { GAP });
    if column.to_the_right { format!("{gap}{blanks}{text}") } else { format!("{gap}{text}{blanks}") }
}

/// A text in so many columns, marked where it is cut.
fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let mut kept: String = text
        .chars()
        .take_while(|letter| {
            let width = letter.width().unwrap_or(0);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect();
    if room > 0 {
        kept.push('…');
    }
    kept
}

fn waits(picture: &Picture, width: usize) -> Vec<ScreenLine> {
    let readings = picture.readings.iter().map(|reading| of_reading(reading, width));
    readings.chain(picture.closings.iter().map(of_closing)).collect()
}

/// How long ago what a Drainer has read of each Pump was written; the one that it waits for first.
fn of_reading(reading: &DrainerReading, width: usize) -> ScreenLine {
    let pump = |(id, seconds): &(crate::text::Untrusted, f64)| format!("{id} {}", show_seconds(seconds.max(0.0)));
    let mut spans = vec![(format!("{}: ", reading.drainer), Tone::Plain)];
    let mut all = reading.pumps.iter();
    if reading.waits
        && let Some(first) = all.next()
    {
        spans.push((format!("waits for {}", pump(first)), Tone::Odd));
        spans.push((if all.len() > 0 { "; " } else { "" }.to_owned(), Tone::Plain));
    }
    let mut text = String::new();
    let used: usize = spans.iter().map(|(text, _)| text.width()).sum();
    let count = all.len();
    for (at, one) in all.enumerate() {
        let next = format!("{}{}", if at == 0 { "" } else { ", " }, pump(one));
        let more = format!("{}{} more", if at == 0 { "" } else { " and " }, count - at);
        // There must be room for what is left out.
        let end = if at + 1 == count { 0 } else { more.width() };
        if used + text.width() + next.width() + end > width {
            text.push_str(&more);
            break;
        }
        text.push_str(&next);
    }
    spans.push((text, Tone::Plain));
    ScreenLine { spans, is_chosen: false }
}

fn of_closing(closing: &ClosingPump) -> ScreenLine {
    let mut text = format!("{} closes: ", closing.pump);
    for (at, (drainer, seconds)) in closing.drainers.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{drainer} has {} to read", show_seconds(*seconds));
    }
    if closing.drainers.is_empty() {
        text.push_str("every Drainer has read it");
    }
    ScreenLine::of(text, Tone::Odd)
}

fn happened(all: &[Happening]) -> Vec<ScreenLine> {
    let line = |one: &Happening| ScreenLine {
        spans: vec![
            (Time::new(one.unix_ms, Zone::Utc).format("%H:%M:%S  "), Tone::Faint),
            (on_one_line(&one.text).into_owned(), one.tone),
        ],
        is_chosen: false,
    };
    all.iter().map(line).collect()
}

fn help(width: usize) -> Vec<ScreenLine> {
    let widest = HELP.iter().map(|(keys, _)| keys.width()).max().unwrap_or(0);
    let lines = |(keys, about): &(&'static str, &str)| {
        let about = textwrap::wrap(about, width.saturating_sub(widest + GAP).max(1));
        let keys = std::iter::once(*keys).chain(std::iter::repeat(""));
        let line = |(keys, about): (&str, std::borrow::Cow<'_, str>)| ScreenLine {
            spans: vec![(format!("{keys:widest$}  "), Tone::Strong), (about.into_owned(), Tone::Plain)],
            is_chosen: false,
        };
        keys.zip(about).map(line).collect::<Vec<_>>()
    };
    HELP.iter().flat_map(lines).collect()
}

/// The calls about a node, one of them chosen.
fn suggested(node: &str, all: &[Suggestion], at: usize, room: usize) -> Vec<ScreenLine> {
    let widest = all.iter().map(|one| one.call.width()).max().unwrap_or(0);
    let line = |(n, one): (usize, &Suggestion)| ScreenLine {
        spans: vec![(format!("{:widest$}  ", one.call), Tone::Strong), (one.about.into(), Tone::Faint)],
        is_chosen: n == at,
    };
    let title = ScreenLine::of(format!("about {node}: Enter takes it along to the prompt"), Tone::Note);
    let all: Vec<ScreenLine> = all.iter().enumerate().map(line).collect();
    std::iter::once(title).chain(window(all, at, room.saturating_sub(1))).collect()
}

/// A value, from a line on; never turned beyond its last page.
fn shown(title: &str, value: &Value, first: &Cell<usize>, width: usize, room: usize) -> Vec<ScreenLine> {
    let look = Look { width: u16::try_from(width).ok(), colors: false };
    let text = render(value, Format::Table, look);
    let lines: Vec<&str> = text.lines().collect();
    let room = room.saturating_sub(1);
    let from = first.get().min(lines.len().saturating_sub(room));
    first.set(from);
    let more = if from + room < lines.len() { "  (more below)" } else { "" };
    let title = ScreenLine::of(format!("{}{more}", on_one_line(title)), Tone::Strong);
    let page = lines.into_iter().skip(from).take(room).map(|line| ScreenLine::of(line, Tone::Plain));
    std::iter::once(title).chain(page).collect()
}

/// Puts a line on the screen.
fn write(area: Rect, buffer: &mut Buffer, at: usize, line: &ScreenLine, colors: bool) {
    let Ok(row) = u16::try_from(at) else { return };
    let (mut x, y) = (area.x, area.y + row);
    for (text, tone) in &line.spans {
        let left = usize::from(area.right().saturating_sub(x));
        let text = cut(text, left);
        x = buffer.set_stringn(x, y, &text, left, style(*tone, colors)).0;
    }
    if line.is_chosen {
        buffer.set_style(Rect::new(area.x, y, area.width, 1), Style::new().add_modifier(Modifier::REVERSED));
    }
}

fn style(tone: Tone, colors: bool) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain => style,
        Tone::Strong => style.add_modifier(Modifier::BOLD),
        _ if !colors => style,
        Tone::Good => style.fg(Color::Green),
        Tone::Note => style.fg(Color::Cyan),
        Tone::Faint => style.add_modifier(Modifier::DIM),
        Tone::Odd => style.fg(Color::Yellow),
        Tone::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Node, Record};
    use crate::watch::picture::NodePicture;
    use std::sync::Arc;

    /// A view of so many nodes that all have something to say.
    fn view(nodes: usize) -> View {
        let node = |at: usize| {
            let id = format!("pump-{at}\u{202e}日本");
            let json = format!(r#"{{"nodeId":"{id}","host":"h:8250","state":"online"}}"#);
            let record = Record::parse(&format!("/tidb-binlog/v1/pumps/{id}"), json, 1).unwrap();
            NodePicture {
                node: Arc::new(Node { record, lag: Some(1.0), heartbeat_age: Some(2.0), odd: vec!["odd".into()] }),
                probe: None,
                is_old: at.is_multiple_of(2),
                asked_ago: Some(1.0),
                lags: vec![Some(1.0), None, Some(7.0)],
                free_gib: Some(1.0),
                gc_hours: Some(-1.0),
                odd: vec!["it is odd".into(); at % 3],
            }
        };
        let reading = DrainerReading {
            drainer: "drainer-0".into(),
            pumps: (0..nodes).map(|at| (format!("pump-{at}").as_str().into(), at as f64)).collect(),
            waits: true,
        };
        let happened = Happening { unix_ms: 0, tone: Tone::Odd, text: "something\nhappened".into() };
        let mut view = View::of_sandbox("place".into(), true);
        view.see(Picture {
            unix_ms: 1,
            is_known: nodes > 0,
            nodes: (0..nodes).map(node).collect(),
            readings: vec![reading; nodes],
            closings: vec![ClosingPump { pump: "p".into(), drainers: vec![("d".into(), 1.0)] }],
            happened: vec![happened; nodes],
            ..Picture::default()
        });
        view
    }

    #[test]
    fn no_size_and_no_page_is_too_much() {
        for nodes in [0, 1, 30] {
            let mut view = view(nodes);
            for key in [None, Some('a'), Some('q'), Some('?'), Some('q'), Some('/')] {
                key.map(|key| view.press(crate::output::Pressed::Letter(key)));
                for (width, height) in [(0, 0), (1, 1), (2, 5), (7, 2), (20, 3), (40, 12), (80, 24), (300, 100)] {
                    let area = Rect::new(0, 0, width, height);
                    draw(area, &mut Buffer::empty(area), &view);
                }
            }
            view.show("title".into(), Value::from("text"));
            draw(Rect::new(0, 0, 9, 1), &mut Buffer::empty(Rect::new(0, 0, 9, 1)), &view);
        }
    }
}
