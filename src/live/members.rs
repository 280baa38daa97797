//! Where else PD answers: the client URLs of its members, learned from PD itself.
//!
//! Learned URLs are a second choice: they are asked after those that we were given have failed or are slow, and only
//! after whoever answers there has said that it belongs to the same cluster. One that is of no use here (another scheme
//! than ours, a loopback address of another host) is left out; one that turns out to be of no use costs nobody anything.
//!
//! URLs that we were given may be of two clusters by mistake: once one of them has said which cluster it is, each other one
//! is asked the same, once, before anything else is sent there.

use crate::address_map::is_one_place;
use crate::live::clock::{Deadline, since_boot};
use crate::live::failover::{EndpointUrl, Refusal, one};
use crate::live::pd::{GetMembersResponse, get_members};
use crate::live::settings::LiveSettings;
use crate::live::wire::Wire;
use crate::pd_url::authority;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tonic::transport::Channel;

/// How long it is believed that whoever answered at a learned URL belongs to the cluster that named it.
const BELIEVED: Duration = Duration::from_secs(2);

/// What PD said of its members; shared by whoever asks for it.
#[derive(Clone, Default)]
pub(super) struct Members(Arc<Mutex<KnownMembers>>);

#[derive(Default)]
struct KnownMembers {
    /// Who they are, if PD has said so.
    learned: Option<Learned>,
    question: MemberQuestion,
    /// When URLs were last found to be of the same cluster.
    ours: HashMap<String, Duration>,
}

#[derive(Clone)]
struct Learned {
    cluster_id: u64,
    /// Those that we were not given.
    urls: Vec<String>,
}

/// Whether PD is to be asked for its members.
#[derive(Clone, Copy, Default, PartialEq)]
enum MemberQuestion {
    /// Once somebody answers.
    #[default]
    Due,
    UnderWay,
    Answered,
}

impl Members {
    fn known(&self) -> MutexGuard<'_, KnownMembers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The URLs that were learned.
    pub(super) fn urls(&self) -> Vec<String> {
        self.known().learned.as_ref().map(|learned| learned.urls.clone()).unwrap_or_default()
    }

    /// The id of PD's cluster, once PD has said it.
    pub(super) fn cluster_id(&self) -> Option<u64> {
        self.known().learned.as_ref().map(|learned| learned.cluster_id)
    }

    /// Somebody has failed: PD is asked again once it answers.
    pub(super) fn doubt(&self) {
        let mut known = self.known();
        if known.question == MemberQuestion::Answered {
            known.question = MemberQuestion::Due;
        }
    }

    /// Whoever gets this asks PD now, unless somebody is at it already or nobody wants to know.
    pub(super) fn if_due(&self) -> Option<Asking> {
        let due = self.known().question == MemberQuestion::Due;
        due.then(|| self.ask())
    }

    /// Whoever gets this asks PD now.
    pub(super) fn ask(&self) -> Asking {
        self.known().question = MemberQuestion::UnderWay;
        Asking(self.clone())
    }

    /// Asks whoever is at `url` for PD's members, in the background.
    pub(super) fn learn(asking: Asking, wire: Arc<Wire>, url: String) {
        tokio::spawn(async move {
            let deadline = Deadline::after(wire.settings.timeout);
            match one(&wire, &url, deadline, "get PD's members", get_members).await {
                Ok(answer) => asking.answered(&url, &answer, &wire.settings),
                // What is no PD has no members to learn. Whoever says nothing may do so later.
                Err(Refusal::Final(_) | Refusal::Never(_)) => asking.none(),
                Err(Refusal::Elsewhere(_) | Refusal::Again(_)) => {}
            }
        });
    }

    /// Whether nobody needs to be asked whose `source` is: it has said so, or nothing is known that it could be compared with.
    fn is_taken_as_ours(&self, source: &EndpointUrl) -> bool {
        let known = self.known();
        match known.ours.get(&source.url) {
            Some(when) => !source.learned || since_boot().saturating_sub(*when) < BELIEVED,
            None => !source.learned && known.learned.is_none(),
        }
    }

    /// Makes sure, before anything else is sent there, that whoever answers at a URL belongs to the cluster of whoever
    /// answered first; a learned one that has just said so is believed for a moment, one that was given from then on.
    ///
    /// # Errors
    /// Only such as leave it to others to answer.
    pub(super) async fn ours(self, source: EndpointUrl, channel: Channel) -> Result<(), Refusal> {
        if self.is_taken_as_ours(&source) {
            return Ok(());
        }
        let header = match get_members(channel).await {
            Ok(answer) => answer.header.unwrap_or_default(),
            // Whoever says nothing of its cluster is what it was given as.
            Err(_) if !source.learned => return Ok(()),
            Err(Refusal::Final(error)) => return Err(Refusal::Never(error.message)),
            Err(other) => return Err(other),
        };
        match self.cluster_id() {
            Some(ours) if ours == header.cluster_id => {
                self.known().ours.insert(source.url, since_boot());
                Ok(())
            }
            _ => Err(Refusal::Never(format!("it belongs to another cluster ({})", header.cluster_id))),
        }
    }
}

/// A question for PD's members that is under way. Given up without an answer, it is due again.
pub(super) struct Asking(Members);

impl Asking {
    /// PD's answer, which came from `url`.
    pub(super) fn answered(self, url: &str, answer: &GetMembersResponse, settings: &LiveSettings) {
        let cluster_id = answer.header.clone().unwrap_or_default().cluster_id;
        let urls = answer.other_urls(settings);
        let mut known = self.0.known();
        known.ours.insert(url.to_owned(), since_boot());
        known.learned = Some(Learned { cluster_id, urls });
        known.question = MemberQuestion::Answered;
    }

    /// There is nothing to learn.
    fn none(self) {
        self.0.known().question = MemberQuestion::Answered;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut known = self.0.known();
        if known.question == MemberQuestion::UnderWay {
            known.question = MemberQuestion::Due;
        }
    }
}

/// An advertised URL as it can be asked from here, if it can.
pub(super) fn usable(advertised: &str, settings: &LiveSettings) -> Option<String> {
    let (scheme, rest) = advertised.split_once("://")?;
    let ours = if settings.tls.is_some() { "https" } else { "http" };
    if !scheme.eq_ignore_ascii_case(ours) {
        return None;
    }
    let authority = authority(rest.trim_end_matches('/')).ok()?;
    // There somebody else listens than whoever says so from another host.
    if is_local(authority) && !settings.pd_urls.iter().any(|given| is_local(address_of(given))) {
        return None;
    }
    Some(format!("{ours}://{authority}"))
}

/// Whether two URLs lead to the same host and port, by the map of addresses too; TLS decides the scheme, and names have no
/// case.
pub(super) fn same(settings: &LiveSettings, one: &str, other: &str) -> bool {
    let target =
        |url| settings.addresses.lead(address_of(url)).ok().flatten().unwrap_or_else(|| address_of(url).into());
    is_one_place(&target(one), &target(other))
}

/// A URL's host and port.
pub(super) fn address_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
}

/// Whether `host:port` means this host, wherever it is said.
fn is_local(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Where to ask: `first` if it is known to answer, then what we were given, then what was learned.
pub(super) fn sources(settings: &LiveSettings, members: &Members, first: Option<&str>) -> Vec<EndpointUrl> {
    let given = settings.pd_urls.iter().map(|url| EndpointUrl { url: url.clone(), learned: false });
    let learned = members.urls().into_iter().map(|url| EndpointUrl { url, learned: true });
    let mut sources: Vec<EndpointUrl> = given.chain(learned).collect();
    sources.sort_by_key(|source| (Some(source.url.as_str()) != first, source.learned));
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &str) -> LiveSettings {
        LiveSettings::new(&[given], None).unwrap()
    }

    #[test]
    fn an_advertised_url_is_used_as_it_can_be_reached_from_here() {
        let far = settings("http://pd.example:2379");
        assert_eq!(usable("HTTP://pd-1:2379/", &far).as_deref(), Some("http://pd-1:2379"));
        assert_eq!(usable("http://[fd00::1]:2379", &far).as_deref(), Some("http://[fd00::1]:2379"));
    }

    #[test]
    fn an_advertised_url_that_is_of_no_use_here_is_left_out() {
        let far = settings("http://pd.example:2379");
        for useless in [
            "https://pd-1:2379",
            "unix://pd-1:2379",
            "pd-1:2379",
            "",
            "http://pd-1",
            "http://u@pd-1:2379",
            "http://pd-1:2379/path",
            "http://127.0.0.1:2379",
            "http://0.0.0.0:2379",
            "http://[::]:2379",
            "http://localhost:2379",
        ] {
            assert_eq!(usable(useless, &far), None, "{useless}");
        }
        assert!(usable("http://127.0.0.1:2379", &settings("http://127.0.0.1:2380")).is_some());
    }

    #[test]
    fn what_was_given_comes_before_what_was_learned_and_whoever_answered_last_before_all() {
        let settings = settings("http://a:1,http://b:1");
        let members = Members::default();
        let member = |url: &str| crate::live::pd::MemberMessage { client_urls: vec![url.into()], ..Default::default() };
        let answer =
            GetMembersResponse { members: vec![member("http://B:1"), member("http://c:1")], ..Default::default() };
        members.ask().answered("http://a:1", &answer, &settings);
        let urls = |first| sources(&settings, &members, first).into_iter().map(|s| s.url).collect::<Vec<_>>();
        assert_eq!(urls(None), ["http://a:1", "http://b:1", "http://c:1"]);
        assert_eq!(urls(Some("http://c:1")), ["http://c:1", "http://a:1", "http://b:1"]);
    }

    #[test]
    fn a_question_that_was_given_up_is_due_again() {
        let members = Members::default();
        let asking = members.if_due().unwrap();
        assert!(members.if_due().is_none(), "somebody is at it");
        drop(asking);
        members.if_due().unwrap().none();
        assert!(members.if_due().is_none(), "it is answered");
        members.doubt();
        assert!(members.if_due().is_some());
    }
}
