//! The network for the technical administrator, and the audit log for who watches over it.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::page::Page;
use super::render;
use super::site::Site;
use crate::api::{Application, ApplicationError, Tempo};
use crate::people::Act;

/// Entries on one page.
const PAGE: u64 = 50;

/// Another partner.
#[derive(Debug)]
pub(super) struct Partner {
    name: String,
    roles: String,
    reachable: bool,
}

/// The keys of a matcher and purpose.
#[derive(Debug)]
pub(super) struct Key {
    purpose: String,
    matcher: String,
    epoch: u32,
    state: &'static str,
    ends: String,
}

#[derive(Debug, Template)]
#[template(path = "network.html")]
struct NetworkPage {
    page: Page,
    version: u64,
    hash: String,
    tempo: &'static str,
    waiting: String,
    partners: Vec<Partner>,
    keys: Vec<Key>,
}

/// `GET /network`.
pub(super) async fn network(site: Site) -> Response {
    let network = match site.node().network(&site.actor()).await {
        Ok(network) => network,
        Err(error) => return site.failed(&error),
    };
    let page = site.page();
    let submissions: usize = network.waiting.submissions.iter().map(|waiting| waiting.count).sum();
    let waiting = page.with2(
        "network-waiting-text",
        "evaluations",
        network.waiting.evaluations,
        "submissions",
        submissions,
    );
    let partners = network.partners.iter().map(|partner| Partner {
        name: partner.name.clone(),
        roles: partner
            .roles
            .iter()
            .map(|role| page.t(&format!("network-role-{role}")))
            .collect::<Vec<_>>()
            .join(", "),
        reachable: partner.reachable,
    });
    let keys = network.keys.iter().map(|key| Key {
        purpose: key.purpose.clone(),
        matcher: super::notice::partner_name(&site, &key.matcher),
        epoch: key.epoch,
        state: if key.state == "active" { "key-active" } else { "key-ceremony" },
        ends: key.ends_at.as_ref().map(|moment| page.moment(moment)).unwrap_or_default(),
    });
    let template = NetworkPage {
        version: network.covenant_version,
        hash: network.covenant_hash.clone(),
        tempo: match network.tempo {
            Tempo::Immediate => "tempo-immediate",
            Tempo::Production => "tempo-production",
        },
        waiting,
        partners: partners.collect(),
        keys: keys.collect(),
        page,
    };
    render(&template)
}

/// One entry of the log.
#[derive(Debug)]
pub(super) struct Entry {
    index: u64,
    when: String,
    kind: String,
    actor: String,
    object: String,
    count: String,
}

#[derive(Debug, Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page,
    size: u64,
    witnesses: usize,
    first: u64,
    last: u64,
    entries: Vec<Entry>,
    older: Option<u64>,
    newer: Option<u64>,
}

/// `GET /audit`: the newest entries.
pub(super) async fn audit(site: Site) -> Response {
    audit_page(site, None).await
}

/// `GET /audit/{last}`: the entries up to that one.
pub(super) async fn audit_at(site: Site, Path(last): Path<String>) -> Response {
    match last.parse() {
        Ok(last) => audit_page(site, Some(last)).await,
        Err(_) => site.failed(&ApplicationError::NotFound),
    }
}

async fn audit_page(site: Site, last: Option<u64>) -> Response {
    let (node, actor) = (site.node(), site.actor());
    let note = match node.audit_checkpoint(&actor).await {
        Ok(note) => note,
        Err(error) => return site.failed(&error),
    };
    let size = note.lines().nth(1).and_then(|line| line.parse::<u64>().ok()).unwrap_or_default();
    let signatures = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
    let end = last.map_or(size, |last| last.saturating_add(1)).min(size);
    let first = end.saturating_sub(PAGE);
    let limit = u32::try_from(end - first).unwrap_or_default();
    let entries = match node.audit_entries(&actor, first, limit).await {
        Ok(entries) => entries,
        Err(error) => return site.failed(&error),
    };
    let page = site.page();
    let entries: Vec<_> = entries.iter().rev().map(|entry| shown(&page, entry.index, &entry.entry)).collect();
    let newer = (end < size).then(|| (end + PAGE - 1).min(size.saturating_sub(1)));
    let template = AuditPage {
        size,
        witnesses: signatures.saturating_sub(1),
        first,
        last: end.saturating_sub(1),
        entries,
        older: (first > 0).then(|| first - 1),
        newer,
        page,
    };
    debug_assert!(site.may(Act::ReadAudit));
    render(&template)
}

fn shown(page: &Page, index: u64, entry: &serde_json::Value) -> Entry {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let short = |name: &str| text(name).chars().take(8).collect::<String>();
    let time = text("time");
    let kind = page.t(&format!("kind-{}", text("kind")));
    let kind = match text("outcome") {
        "done" | "" => kind,
        "refused" if text("kind") == "access-refused" => kind,
        outcome => format!("{kind} ({})", page.t(&format!("outcome-{outcome}"))),
    };
    Entry {
        index,
        when: format!("{} {}", page.date(time), time.get(11..16).unwrap_or_default()),
        kind,
        actor: short("actor"),
        object: short("object"),
        count: entry["count"].as_u64().map(|count| count.to_string()).unwrap_or_default(),
    }
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let key = Key { purpose: text(), matcher: text(), epoch: 1, state: "key-active", ends: text() };
    let network = NetworkPage {
        page: page(),
        version: 1,
        hash: text(),
        tempo: "tempo-immediate",
        waiting: text(),
        partners: vec![Partner { name: text(), roles: text(), reachable: true }],
        keys: vec![key],
    };
    let entry = Entry { index: 1, when: text(), kind: text(), actor: text(), object: text(), count: text() };
    let audit = AuditPage {
        page: page(),
        size: 1,
        witnesses: 1,
        first: 1,
        last: 1,
        entries: vec![entry],
        older: Some(1),
        newer: Some(1),
    };
    [network.render(), audit.render()].map(Result::unwrap).into()
}
