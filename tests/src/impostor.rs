//! A test program that speaks for a member, with its keys, in place of its node.

use kring_node::config::Config;
use kring_node::founding::IDENTITY_NAME;
use kring_node::keystore::MasterKey;
use kring_node::keystore::identity::Identity;
use kring_node::network::{Network, Peer, peer_id};
use kring_protocol::codec;
use kring_protocol::covenant::{SignedCovenant, VerifiedCovenant};
use kring_protocol::id::MemberId;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use tokio::sync::mpsc;

use crate::node::Node;

/// A member's keys and covenant.
#[derive(Debug)]
pub struct Member {
    id: MemberId,
    identity: Identity,
    covenant: VerifiedCovenant,
}

impl Member {
    /// The member whose node's directory this is.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self::from_config(&node.config())
    }

    /// The member whose node has this configuration.
    ///
    /// # Panics
    /// When its files cannot be read.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        let master = MasterKey::load(&config.master_key_file).expect("the node has a master key");
        let identity = Identity::load(&config.data_dir.join(IDENTITY_NAME), &master);
        let identity = identity.expect("the node has an identity");
        let covenant = std::fs::read(&config.covenant_file).expect("the node has a covenant");
        let covenant = codec::decode::<SignedCovenant>(&covenant).expect("the covenant reads");
        let covenant = covenant.verify().expect("the covenant holds");
        let key = identity.signing_key().verifying_key();
        let card = covenant.members.iter().find(|card| card.card.signing_key == key);
        let id = card.expect("the covenant names the member").card.id.clone();
        Self { id, identity, covenant }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &MemberId {
        &self.id
    }

    /// Its key.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.identity.signing_key()
    }

    /// The seed of the key by which others let it in.
    #[must_use]
    pub const fn transport(&self) -> &Secret<32> {
        &self.identity.transport
    }

    /// The covenant.
    #[must_use]
    pub const fn covenant(&self) -> &VerifiedCovenant {
        &self.covenant
    }

    /// Joins the network as this member.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn connect(&self) -> Network {
        self.connect_with(&self.identity.transport).await
    }

    /// Joins the network with any transport key, saying to be this member.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn connect_with(&self, transport: &Secret<32>) -> Network {
        let peers = self.covenant.members.iter().map(|card| Peer {
            member: card.card.id.clone(),
            peer_id: peer_id(card.card.transport_key.as_bytes()).expect("the covenant was checked"),
            addresses: card.card.addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        });
        let (inbound, _) = mpsc::channel(1);
        let network = Network::start(transport, self.id.clone(), Vec::new(), peers.collect(), inbound, None);
        network.await.expect("nothing is listened on")
    }
}
