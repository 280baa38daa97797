//! What somebody who watches has chosen, and what their keys mean.

use super::picture::{NodePicture, Picture};
use super::suggestions::{Suggestion, suggestions};
use crate::node::{Kind, NodeRef};
use crate::operations::Group;
use crate::output::Pressed;
use crate::text::Untrusted;
use crate::value::Value;
use std::cell::Cell;
use std::time::Duration;

/// How many lines a page has, for the keys that turn it.
const PAGE: usize = 10;

/// How fast the time of a sandbox can run.
const SPEEDS: [u32; 5] = [1, 10, 60, 600, 3600];

/// What is offered of a node: what acts before what waits and looks.
const OFFERED: [Group; 3] = [Group::Act, Group::Wait, Group::Look];

/// What is wanted of whoever looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ViewWish {
    /// The node is asked now.
    Probe(NodeRef),
    /// Everything that it says of itself.
    Details(NodeRef),
    /// What is wrong with it, or will be.
    Doctor(NodeRef),
}

/// What a key means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeyMeaning {
    /// Nothing, or something that the view has done already.
    Seen,
    /// The view is left.
    Leave,
    /// The process is stopped until somebody goes on with it.
    Suspend,
    /// Something is wanted.
    ViewWish(ViewWish),
    /// The view is left, with this text for the prompt.
    Take(String),
}

/// What is before the eyes.
#[derive(Debug, Default)]
pub(super) enum ViewPage {
    /// The nodes.
    #[default]
    Nodes,
    /// The keys.
    Help,
    /// A value, from this line on.
    Shown { title: String, value: Value, from: Cell<usize> },
    /// What can be typed about a node, and which is chosen.
    Suggestions { node: String, all: Vec<Suggestion>, at: usize },
}

/// The view.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Which cluster it is.
    pub(super) place: String,
    /// Whether there are colours.
    pub(super) colors: bool,
    /// How fast its time can run; a real one's only as it does.
    pub(super) speeds: &'static [u32],
    /// The chapters of functions that are offered of a node.
    offered: Vec<Group>,
    pub(super) picture: Picture,
    pub(super) page: ViewPage,
    pub(super) selected: Option<(Kind, Untrusted)>,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    /// How fast virtual time runs.
    pub(super) speed: u32,
    /// Something to be said until the next key.
    pub(super) note: Option<String>,
    /// How old the picture is, if that is more than it should be.
    pub(super) stale: Option<Duration>,
    /// A page that came while somebody was at something else.
    waiting: Option<(String, Value)>,
}

impl View {
    /// A view of the real cluster at `place`.
    pub(crate) fn of_cluster(place: String, colors: bool) -> Self {
        Self { place, colors, speed: 1, offered: OFFERED.to_vec(), ..Self::default() }
    }

    /// A view of a simulated one: it can be played with, and its time can run faster.
    pub(crate) fn of_sandbox(place: String, colors: bool) -> Self {
        let offered = OFFERED.into_iter().chain([Group::Sandbox]).collect();
        Self { speeds: &SPEEDS, offered, ..Self::of_cluster(place, colors) }
    }

    /// There is a newer picture.
    pub(crate) fn see(&mut self, picture: Picture) {
        self.picture = picture;
        self.stale = None;
        if self.selected_node().is_none() {
            self.selected = self.visible().first().map(|node| key(node));
        }
    }

    /// Whoever looks has told nothing for so long.
    pub(crate) fn is_stale_for(&mut self, time: Duration) {
        self.stale = Some(time);
    }

    /// Says something until the next key.
    pub(crate) fn say(&mut self, text: String) {
        self.note = Some(text);
    }

    /// Shows a value on a page of its own; if somebody is at something else, once they are done.
    pub(crate) fn show(&mut self, title: String, value: Value) {
        if self.is_typing || !matches!(self.page, ViewPage::Nodes) {
            self.note = Some(format!("{title} is there, once this page is left"));
            self.waiting = Some((title, value));
            return;
        }
        self.note = None;
        self.page = ViewPage::Shown { title, value, from: Cell::new(0) };
    }

    /// Turns to the page that waits, if somebody is done with what they were at.
    fn turn_to_waiting(&mut self) {
        if !self.is_typing
            && matches!(self.page, ViewPage::Nodes)
            && let Some((title, value)) = self.waiting.take()
        {
            self.show(title, value);
        }
    }

    /// How many seconds of virtual time pass in one.
    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// The nodes that the filter leaves.
    pub(super) fn visible(&self) -> Vec<&NodePicture> {
        let filter = self.filter.to_lowercase();
        self.picture.nodes.iter().filter(|node| filter.is_empty() || says(node, &filter)).collect()
    }

    /// Which of them is chosen.
    pub(super) fn at(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.visible().iter().position(|node| key(node) == *selected)
    }

    pub(super) fn selected_node(&self) -> Option<&NodePicture> {
        let selected = self.selected.as_ref()?;
        self.picture.nodes.iter().find(|node| key(node) == *selected)
    }

    /// Does what a key means, or says what it asks for.
    pub(crate) fn press(&mut self, key: Pressed) -> KeyMeaning {
        let meaning = self.pressed(key);
        self.turn_to_waiting();
        meaning
    }

    fn pressed(&mut self, key: Pressed) -> KeyMeaning {
        self.note = None;
        match key {
            Pressed::Interrupt => return KeyMeaning::Leave,
            Pressed::Suspend => return KeyMeaning::Suspend,
            _ if self.is_typing => self.type_filter(key),
            _ => match &self.page {
                ViewPage::Nodes => return self.press_at_nodes(key),
                ViewPage::Help => self.page = ViewPage::Nodes,
                ViewPage::Shown { .. } => self.turn(key),
                ViewPage::Suggestions { .. } => return self.choose(key),
            },
        }
        KeyMeaning::Seen
    }

    fn press_at_nodes(&mut self, key: Pressed) -> KeyMeaning {
        let Some(at) = self.at().or(Some(0)) else { return KeyMeaning::Seen };
        match key {
            Pressed::Letter('q') => return KeyMeaning::Leave,
            Pressed::Escape => self.filter.clear(),
            Pressed::Letter('/') => self.is_typing = true,
            Pressed::Letter('?' | 'h') => self.page = ViewPage::Help,
            Pressed::Letter('f') => self.speed = faster(self.speeds, self.speed),
            Pressed::Letter('p') => return self.wish(ViewWish::Probe),
            Pressed::Letter('d') => return self.wish(ViewWish::Doctor),
            Pressed::Enter => return self.wish(ViewWish::Details),
            Pressed::Letter('a') => self.suggest(),
            Pressed::Up | Pressed::Letter('k') => self.select(at.saturating_sub(1)),
            Pressed::Down | Pressed::Letter('j') => self.select(at + 1),
            Pressed::PageUp => self.select(at.saturating_sub(PAGE)),
            Pressed::PageDown => self.select(at + PAGE),
            Pressed::Home | Pressed::Letter('g') => self.select(0),
            Pressed::End | Pressed::Letter('G') => self.select(usize::MAX),
            Pressed::Letter(_) | Pressed::Backspace | Pressed::Interrupt | Pressed::Suspend => {}
        }
        KeyMeaning::Seen
    }

    fn wish(&mut self, wish: impl Fn(NodeRef) -> ViewWish) -> KeyMeaning {
        match self.selected_node() {
            Some(node) => KeyMeaning::ViewWish(wish(node.node.record.node.clone())),
            None => KeyMeaning::Seen,
        }
    }

    fn select(&mut self, at: usize) {
        let visible = self.visible();
        self.selected = visible.get(at.min(visible.len().saturating_sub(1))).map(|node| key(node));
    }

    fn suggest(&mut self) {
        let Some(node) = self.selected_node().map(|node| node.node.record.node.clone()) else { return };
        let has_namesake = |other: &&NodePicture| {
            let other = &other.node.record.node;
            other.id == node.id && other.kind != node.kind
        };
        let other = self.picture.nodes.iter().any(|other| has_namesake(&other));
        let all = suggestions(&node, other, &self.offered);
        self.page = ViewPage::Suggestions { node: node.id.to_string(), all, at: 0 };
    }

    fn type_filter(&mut self, key: Pressed) {
        match key {
            Pressed::Letter(letter) => self.filter.push(letter),
            Pressed::Backspace => drop(self.filter.pop()),
            Pressed::Enter | Pressed::Down | Pressed::Up => self.is_typing = false,
            Pressed::Escape => {
                self.is_typing = false;
                self.filter.clear();
            }
            _ => {}
        }
        if self.at().is_none() {
            self.select(0);
        }
    }

    /// Turns the page that shows a value.
    fn turn(&mut self, key: Pressed) {
        let ViewPage::Shown { from, .. } = &self.page else { return };
        match key {
            Pressed::Up | Pressed::Letter('k') => from.set(from.get().saturating_sub(1)),
            Pressed::Down | Pressed::Letter('j') => from.set(from.get() + 1),
            Pressed::PageUp => from.set(from.get().saturating_sub(PAGE)),
            Pressed::PageDown | Pressed::Letter(' ') => from.set(from.get() + PAGE),
            Pressed::Home | Pressed::Letter('g') => from.set(0),
            Pressed::End | Pressed::Letter('G') => from.set(usize::MAX / 2),
            _ => self.page = ViewPage::Nodes,
        }
    }

    fn choose(&mut self, key: Pressed) -> KeyMeaning {
        let ViewPage::Suggestions { all, at, .. } = &mut self.page else { return KeyMeaning::Seen };
        let last = all.len().saturating_sub(1);
        match key {
            Pressed::Up | Pressed::Letter('k') => *at = at.saturating_sub(1),
            Pressed::Down | Pressed::Letter('j') => *at = (*at + 1).min(last),
            Pressed::Home | Pressed::PageUp => *at = 0,
            Pressed::End | Pressed::PageDown => *at = last,
            Pressed::Enter => {
                let chosen = all.get(*at).map(|one| one.call.clone());
                self.page = ViewPage::Nodes;
                return chosen.map_or(KeyMeaning::Seen, KeyMeaning::Take);
            }
            _ => self.page = ViewPage::Nodes,
        }
        KeyMeaning::Seen
    }
}

fn key(node: &NodePicture) -> (Kind, Untrusted) {
    (node.node.record.node.kind, node.node.id().clone())
}

/// Whether a node says `filter` anywhere where people see it.
fn says(node: &NodePicture, filter: &str) -> bool {
    let record = &node.node.record;
    let probe = node.probe.as_ref().map(ToString::to_string).unwrap_or_default();
    let texts = [record.node.id.as_str(), record.node.kind.name(), record.state.name(), &record.node.address, &probe];
    texts.into_iter().chain(node.odd.iter().map(String::as_str)).any(|text| text.to_lowercase().contains(filter))
}

/// The next speed, the first after the last; the same where there is no other.
fn faster(speeds: &[u32], speed: u32) -> u32 {
    let next = speeds.iter().find(|other| **other > speed).or(speeds.first());
    next.copied().unwrap_or(speed)
}
