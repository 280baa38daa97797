//! Words of a profile with places for what a node is.

use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::text::on_one_line;
use std::fmt::{Display, Formatter};

/// What can stand in braces.
const PLACES: [&str; 6] = ["id", "kind", "host", "port", "unit", "deploy_dir"];

/// A word with places such as `{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<TemplatePart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    Place(&'static str),
}

/// What a node is, as templates and commands need it. Each value was looked at: none has a control character or begins with a
/// dash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeSite {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) unit: String,
    pub(super) deploy_dir: Option<String>,
}

impl Template {
    /// The word `text`.
    ///
    /// # Errors
    /// `invalid`: a place that there is not, with the nearest, or a brace without its other half.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid("it is empty").hint("leave the line out for what is usual"));
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                return Err(Error::invalid(format!("\"{}\" has a brace that does not end", on_one_line(text)))
                    .hint("write a place as `{id}`"));
            };
            let place = PLACES.into_iter().find(|place| *place == name).ok_or_else(|| {
                let all = || format!("it may be {}", PLACES.map(|place| format!("{{{place}}}")).join(", "));
                let (text, name) = (on_one_line(text), on_one_line(name));
                Error::invalid(format!("\"{text}\" has a place `{{{name}}}` that there is not"))
                    .hint(did_you_mean(&name, PLACES).unwrap_or_else(all))
            })?;
            if !before.is_empty() {
                parts.push(TemplatePart::Text(before.to_owned()));
            }
            parts.push(TemplatePart::Place(place));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(TemplatePart::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The word for a node.
    ///
    /// # Errors
    /// What is not known of the node.
    pub(super) fn fill(&self, site: &NodeSite) -> std::result::Result<String, String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                TemplatePart::Text(text) => filled.push_str(text),
                TemplatePart::Place("id") => filled.push_str(&site.id),
                TemplatePart::Place("kind") => filled.push_str(site.kind),
                TemplatePart::Place("host") => filled.push_str(&site.host),
                TemplatePart::Place("port") => filled.push_str(&site.port.to_string()),
                TemplatePart::Place("unit") => filled.push_str(&site.unit),
                TemplatePart::Place(_) => filled.push_str(
                    site.deploy_dir
                        .as_deref()
                        .ok_or_else(|| format!("its deploy directory is not known, and \"{}\" needs it", self.text))?,
                ),
            }
        }
        Ok(filled)
    }
}

impl Display for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> NodeSite {
        let deploy_dir = Some("/deploy/pump-8250".to_owned());
        let (id, host, unit) = ("pump-0".to_owned(), "10.0.1.11".to_owned(), "pump-8250.service".to_owned());
        NodeSite { id, kind: "pump", host, port: 8250, unit, deploy_dir }
    }

    #[test]
    fn places_are_filled_with_what_a_node_is() {
        let filled = |text: &str| Template::parse(text).unwrap().fill(&site());
        assert_eq!(filled("{kind} {id} {host}:{port} {unit}").unwrap(), "pump pump-0 10.0.1.11:8250 pump-8250.service");
        assert_eq!(filled("{deploy_dir}/log").unwrap(), "/deploy/pump-8250/log");
        assert_eq!(filled("as it is").unwrap(), "as it is");
        let unknown = Template::parse("{deploy_dir}/log").unwrap().fill(&NodeSite { deploy_dir: None, ..site() });
        assert!(unknown.unwrap_err().contains("deploy directory is not known"));
    }

    #[test]
    fn a_place_that_there_is_not_names_the_nearest() {
        let error = Template::parse("{hots}").unwrap_err();
        assert!(error.message.contains("{hots}") && error.hint.unwrap().contains("`host`"));
        assert!(Template::parse("{id").unwrap_err().message.contains("does not end"));
    }
}
