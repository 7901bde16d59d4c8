//! Matchers that show another board than they have shown before.

use kring_protocol::board::ENTRY_LEN;
use kring_protocol::board::replication::{Page, Request, Response, board_name, page, sign_head};
use kring_protocol::codec;
use kring_protocol::log::checkpoint::Checkpoint;
use kring_protocol::log::merkle::{Tree, leaf_hash};
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;

use super::Change;
use crate::impostor::Member;

/// A page that continues what its reader has gets a wrong end. First pages stay good: there is nothing to be wrong with.
pub(super) fn wrong(change: Change, matcher: &Member, shown: &mut Vec<u8>, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Entries(good)) = codec::decode(bytes) else { return None };
    if change == Change::ForeignCheckpoint {
        // A signed note is its text, an empty line, and signatures.
        let (text, _) = good.checkpoint.split_once("\n\n")?;
        let checkpoint = Checkpoint::parse(&format!("{text}\n")).ok()?;
        let stranger = SigningKey::from_seed(&Secret::new([9; 32]));
        let bad = Page { checkpoint: checkpoint.sign(&stranger).to_string(), ..*good };
        return Some(codec::encode(&Response::Entries(Box::new(bad))));
    }
    let from = usize::try_from(good.from).ok()? * ENTRY_LEN;
    let entries = good.entries.as_ref();
    if shown.len() == from {
        shown.extend_from_slice(entries);
    }
    if from == 0 || shown.len() < from {
        return None;
    }
    let name = board_name(&matcher.covenant().network(), matcher.id());
    let sign = |tree: &Tree| sign_head(tree, &name, &matcher.signing_key());
    let bad = if change == Change::ForkedBoard {
        let mut other = [&shown[..from], entries].concat();
        other[0] ^= 1;
        let tree = tree(&other);
        page(&tree, &sign(&tree), tree.size(), good.from, entries)?
    } else {
        Page { checkpoint: sign(&tree(&shown[..from - ENTRY_LEN])).to_string(), ..*good }
    };
    Some(codec::encode(&Response::Entries(Box::new(bad))))
}

/// Only the own board: copies of others' are shown.
pub(super) fn hidden(matcher: &Member, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Entries(page)) = codec::decode(bytes) else { return None };
    let own = board_name(&matcher.covenant().network(), matcher.id()).to_string();
    page.checkpoint.starts_with(&format!("{own}\n")).then(|| codec::encode(&Response::Nothing))
}

/// The same page with hashes alone; it fits the same tree.
pub(super) fn hashes(bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Entries(mut page)) = codec::decode(bytes) else { return None };
    let entries = std::mem::take(&mut page.entries.0);
    let hash = |entry: &[u8; ENTRY_LEN]| *leaf_hash(entry).as_bytes();
    page.dropped.0.extend(entries.as_chunks::<ENTRY_LEN>().0.iter().flat_map(hash));
    Some(codec::encode(&Response::Entries(page)))
}

pub(super) fn without_waiting(bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Request::Read { matcher, from, .. }) = codec::decode(bytes) else { return None };
    Some(codec::encode(&Request::Read { matcher, from, wait_ms: 0 }))
}

fn tree(entries: &[u8]) -> Tree {
    let mut tree = Tree::default();
    entries.as_chunks::<ENTRY_LEN>().0.iter().for_each(|entry| tree.append(leaf_hash(entry)));
    tree
}
