//! `config.toml`, read strictly: what is not understood is an error with its line.

mod downstreams;
mod node_control;

use super::tiup::check_name;
use super::{DeployedClusters, ProfileCluster, pd_urls, timeout};
use crate::address_map::AddressMap;
use crate::downstream::DownstreamProfile;
use crate::error::{Error, Result};
use crate::files;
use crate::nearest::did_you_mean;
use crate::node_control::NodeControl;
use crate::output::{Format, Timestamps};
use crate::pd_url::DEFAULT_PD_URL;
use crate::proxy_url::ProxyUrl;
use crate::text::{ShownPath, decode, on_one_line};
use crate::time::parse_duration;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    /// Where it is, if there is one.
    pub(super) path: Option<PathBuf>,
    /// The profile to use when none is named.
    pub(super) default: Option<String>,
    /// The profiles, by name.
    pub(super) profiles: IndexMap<String, Profile>,
}

/// One `[profiles.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) pd_urls: Option<Vec<String>>,
    pub(super) cluster: Option<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) key_pass_file: Option<PathBuf>,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) addresses: AddressMap,
    pub(super) production: bool,
    pub(super) output: Option<Format>,
    pub(super) timestamps: Option<Timestamps>,
    pub(super) pager: Option<bool>,
    pub(super) timeout: Option<Duration>,
    pub(super) wait_lock: Option<Duration>,
    pub(super) node_control: Option<NodeControl>,
    pub(super) my_cnf: Option<PathBuf>,
    pub(super) downstreams: BTreeMap<String, DownstreamProfile>,
}

impl File {
    /// The clusters of its profiles; `tiup` knows those that they call by a name of its.
    pub(super) fn clusters(&self, tiup: &Result<DeployedClusters>) -> Vec<ProfileCluster> {
        let of = |(name, profile): (&String, &Profile)| {
            let named = || tiup.as_ref().ok()?.read(profile.cluster.as_deref()?).ok();
            let pd_urls = match (&profile.pd_urls, &profile.cluster) {
                (Some(urls), _) => Some(urls.clone()),
                (None, Some(_)) => named().map(|deployment| deployment.pd_urls),
                (None, None) => Some(vec![DEFAULT_PD_URL.to_owned()]),
            };
            ProfileCluster {
                profile: name.clone(),
                unread: pd_urls.is_none(),
                pd_urls: pd_urls.unwrap_or_default(),
                cluster: profile.cluster.clone(),
                production: profile.production,
            }
        };
        self.profiles.iter().map(of).collect()
    }
}

const TOP: [&str; 2] = ["default-profile", "profiles"];
const PROFILE: [&str; 17] = [
    "pd-urls",
    "cluster",
    "ca",
    "cert",
    "key",
    "key-pass-file",
    "proxy",
    "addresses",
    "production",
    "output",
    "timestamps",
    "pager",
    "timeout",
    "wait-lock",
    "node-control",
    "my-cnf",
    "downstreams",
];

/// The largest configuration that is read: a thousand profiles have less than one MiB.
const LARGEST: u64 = 16 << 20;

/// The file at `path`; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<File>> {
    match files::read(path, LARGEST) {
        Ok(bytes) => Reader { path, text: &decode(path.shown().as_ref(), bytes)? }.file().map(Some),
        Err(fault) if fault.is_missing() => Ok(None),
        Err(fault) => Err(fault.error(format!("cannot read the configuration {}", path.shown()))),
    }
}

/// The text, and where it stands.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

/// A value and the bytes that it stands in.
struct Item<'v, 'i> {
    key: &'v str,
    value: &'v DeValue<'i>,
    span: Range<usize>,
}

impl Reader<'_> {
    fn file(&self) -> Result<File> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.wrong(error.span().unwrap_or(0..0), format!("not TOML: {message}"))
        })?;
        let mut file = File { path: Some(self.path.to_path_buf()), ..File::default() };
        for item in self.items(table.get_ref(), "config.toml", &TOP)? {
            match item.key {
                "default-profile" => file.default = Some(self.text_of(&item)?),
                _ => file.profiles = self.profiles(&item)?,
            }
        }
        match &file.default {
            Some(name) if !file.profiles.contains_key(name) => Err(Error::invalid(format!(
                "{}: `default-profile` names `{}`, which is not there",
                self.path.shown(),
                on_one_line(name)
            ))
            .hint(
                did_you_mean(name, file.profiles.keys().map(String::as_str))
                    .unwrap_or_else(|| format!("write `[profiles.{}]`", on_one_line(name))),
            )),
            _ => Ok(file),
        }
    }

    fn profiles(&self, item: &Item<'_, '_>) -> Result<IndexMap<String, Profile>> {
        let table = self.table_of(item)?;
        let mut profiles = IndexMap::new();
        for (name, value) in table {
            let item = Item { key: name.get_ref(), value: value.get_ref(), span: value.span() };
            profiles.insert(name.get_ref().to_string(), self.profile(&item)?);
        }
        Ok(profiles)
    }

    fn profile(&self, item: &Item<'_, '_>) -> Result<Profile> {
        let mut profile = Profile::default();
        for item in self.items(self.table_of(item)?, &format!("profile `{}`", item.key), &PROFILE)? {
            let here = |error: Error| Error { message: self.wrong(item.span.clone(), &error.message).message, ..error };
            match item.key {
                "pd-urls" => profile.pd_urls = Some(pd_urls(&self.list_of(&item)?.join(",")).map_err(here)?),
                "cluster" => {
                    let name = self.text_of(&item)?;
                    check_name(&name).map_err(here)?;
                    profile.cluster = Some(name);
                }
                "ca" => profile.ca = Some(self.path_of(&item)?),
                "cert" => profile.cert = Some(self.path_of(&item)?),
                "key" => profile.key = Some(self.path_of(&item)?),
                "key-pass-file" => profile.key_pass_file = Some(self.path_of(&item)?),
                "proxy" => profile.proxy = Some(ProxyUrl::parse(&self.text_of(&item)?).map_err(here)?),
                "addresses" => profile.addresses = self.addresses(&item)?,
                "production" => profile.production = self.flag_of(&item)?,
                "pager" => profile.pager = Some(self.flag_of(&item)?),
                "output" => profile.output = Some(Format::from_name(&self.text_of(&item)?).map_err(here)?),
                "timestamps" => {
                    profile.timestamps = Some(Timestamps::from_name(&self.text_of(&item)?).map_err(here)?);
                }
                "node-control" => profile.node_control = Some(self.node_control(&item)?),
                "my-cnf" => profile.my_cnf = Some(self.path_of(&item)?),
                "downstreams" => profile.downstreams = self.downstreams(&item)?,
                "wait-lock" => {
                    profile.wait_lock = Some(parse_duration(&self.duration_of(&item)?).map_err(here)?);
                }
                _ => profile.timeout = Some(timeout(&self.duration_of(&item)?).map_err(here)?),
            }
        }
        Ok(profile)
    }

    /// The map of addresses, in the order of the file.
    fn addresses(&self, item: &Item<'_, '_>) -> Result<AddressMap> {
        let mut lines: Vec<_> = self.table_of(item)?.iter().collect();
        lines.sort_by_key(|(from, _)| from.span().start);
        let mut map = AddressMap::default();
        for (from, to) in lines {
            let line = Item { key: from.get_ref(), value: to.get_ref(), span: from.span() };
            let added = map.add(line.key, &self.text_of(&line)?);
            added.map_err(|error| Error { message: self.wrong(line.span, &error.message).message, ..error })?;
        }
        Ok(map)
    }

    /// The entries of `table`, every one of which must be `known`.
    fn items<'v, 'i>(&self, table: &'v DeTable<'i>, place: &str, known: &[&'static str]) -> Result<Vec<Item<'v, 'i>>> {
        let mut items = Vec::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let all = || format!("it may have {}", known.join(", "));
                let error = self.wrong(key.span(), format!("{place} has no key `{name}`"));
                return Err(error.hint(did_you_mean(name, known.iter().copied()).unwrap_or_else(all)));
            }
            items.push(Item { key: name, value: value.get_ref(), span: value.span() });
        }
        Ok(items)
    }

    fn table_of<'v, 'i>(&self, item: &Item<'v, 'i>) -> Result<&'v DeTable<'i>> {
        item.value.as_table().ok_or_else(|| self.wrong_type(item, "a table"))
    }

    fn text_of(&self, item: &Item<'_, '_>) -> Result<String> {
        item.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong_type(item, "text"))
    }

    fn flag_of(&self, item: &Item<'_, '_>) -> Result<bool> {
        item.value.as_bool().ok_or_else(|| self.wrong_type(item, "true or false"))
    }

    /// Text, or a list of texts.
    fn list_of(&self, item: &Item<'_, '_>) -> Result<Vec<String>> {
        let texts = match item.value.as_array() {
            None => item.value.as_str().map(|text| vec![text.to_owned()]),
            Some(list) => list.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect(),
        };
        texts.ok_or_else(|| self.wrong_type(item, "text, or a list of texts"))
    }

    /// Seconds as a number, or text such as `"5s"`.
    fn duration_of(&self, item: &Item<'_, '_>) -> Result<String> {
        match item.value {
            DeValue::Integer(number) => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong_type(item, "seconds as a number, or text such as \"5s\"")),
        }
    }

    /// A path, relative to the file that names it.
    fn path_of(&self, item: &Item<'_, '_>) -> Result<PathBuf> {
        let path = self.text_of(item)?;
        Ok(self.path.parent().unwrap_or(Path::new("")).join(path))
    }

    fn wrong_type(&self, item: &Item<'_, '_>, takes: &str) -> Error {
        let given = item.value.type_str();
        self.wrong(item.span.clone(), format!("`{}` takes {takes}, not {given}", item.key))
    }

    fn wrong(&self, span: Range<usize>, what: impl std::fmt::Display) -> Error {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        // What stands in the file may hold anything.
        Error::invalid(format!("{}:{line}: {}", self.path.shown(), on_one_line(&what.to_string())))
    }
}
