//! The node's own secrets, in one small file sealed under the master key.
//!
//! Fixed layout instead of CBOR, so that encoding leaves no copies behind: version 1, nonce 12, then sealed the
//! seeds in the order of [`Identity`]'s fields. Not here: key shares and matcher keys, which end with their epoch and
//! live in the store under slot keys.

use std::fs;
use std::path::Path;

use kring_protocol::crypto::{AEAD_NONCE_LEN, hkdf, open, seal};
use kring_protocol::label;
use kring_protocol::own_submission::WithdrawRoot;
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use super::{KeyError, MasterKey};
use crate::files::write_atomically;

const VERSION: u8 = 1;
const PLAIN_LEN: usize = 96;

/// The seeds from which all of a node's lasting secrets come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Seed of the Ed25519 key that the covenant knows the member by.
    pub signing: Secret<32>,
    /// Seed of the Ed25519 key by which libp2p knows the node.
    pub transport: Secret<32>,
    /// What further secrets are derived from.
    pub root: Secret<32>,
}

impl Identity {
    /// Draws a new identity.
    #[must_use]
    pub fn generate() -> Self {
        let random = || Secret::random(&mut OsRng);
        Self { signing: random(), transport: random(), root: random() }
    }

    /// The member's signing key.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.signing)
    }

    /// The key that opens the member's half of tickets, where the covenant names it for that.
    #[must_use]
    pub fn trace_key(&self) -> ExchangeSecret {
        ExchangeSecret::from_bytes(hkdf(self.root.expose(), label::TRACE_KEY))
    }

    /// From which the member's withdraw keys are derived.
    #[must_use]
    pub fn withdraw_root(&self) -> WithdrawRoot {
        WithdrawRoot(hkdf(self.root.expose(), label::WITHDRAW_ROOT))
    }

    /// Seals the identity into the file at `path`, replacing what is there, whole or not at all.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn save(&self, path: &Path, master: &MasterKey) -> Result<(), KeyError> {
        let mut nonce = [0; AEAD_NONCE_LEN];
        OsRng.fill_bytes(&mut nonce);
        write_atomically(path, &self.sealed(master, nonce)).map_err(KeyError::io(path))
    }

    fn sealed(&self, master: &MasterKey, nonce: [u8; AEAD_NONCE_LEN]) -> Vec<u8> {
        let mut plain = Zeroizing::new([0; PLAIN_LEN]);
        for (place, secret) in plain.chunks_exact_mut(32).zip([&self.signing, &self.transport, &self.root]) {
            place.copy_from_slice(secret.expose());
        }
        let key = master.derive(label::IDENTITY, "");
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&nonce);
        bytes.append(&mut seal(&key, nonce, label::IDENTITY, plain.as_slice()));
        bytes
    }

    /// Reads the file that [`Identity::save`] wrote.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Format`], [`KeyError::WrongKey`].
    pub fn load(path: &Path, master: &MasterKey) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(KeyError::io(path))?;
        let format = || KeyError::Format(path.to_owned());
        let (&[VERSION], rest) = bytes.split_first_chunk::<1>().ok_or_else(format)? else {
            return Err(format());
        };
        let (nonce, sealed) = rest.split_first_chunk().ok_or_else(format)?;
        let key = master.derive(label::IDENTITY, "");
        let plain = open(&key, *nonce, label::IDENTITY, sealed).map(Zeroizing::new);
        let plain = plain.map_err(|_| KeyError::WrongKey(path.to_owned()))?;
        if plain.len() != PLAIN_LEN {
            return Err(format());
        }
        let secret = |n: usize| Secret::try_from(&plain[32 * n..32 * (n + 1)]).expect("32 of 96 bytes");
        Ok(Self { signing: secret(0), transport: secret(1), root: secret(2) })
    }
}

#[cfg(test)]
mod tests {
    use kring_protocol::secret::Secret;

    use super::Identity;
    use crate::keystore::{KeyError, MasterKey};
    use crate::testing::TempDir;

    #[test]
    fn an_identity_comes_back_only_with_its_master_key_and_unaltered() {
        let dir = TempDir::new();
        let path = dir.path().join("identity.sealed");
        let master = MasterKey(Secret::new([1; 32]));
        Identity::generate().save(&path, &master).unwrap();
        let identity = Identity::generate();
        identity.save(&path, &master).unwrap();
        assert_eq!(Identity::load(&path, &master), Ok(identity));
        let other = MasterKey(Secret::new([2; 32]));
        assert_eq!(Identity::load(&path, &other), Err(KeyError::WrongKey(path.clone())));
        let good = std::fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut flipped = good.clone();
            flipped[place] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            assert!(Identity::load(&path, &master).is_err());
            std::fs::write(&path, &good[..place]).unwrap();
            assert!(Identity::load(&path, &master).is_err());
        }
    }

    #[test]
    fn the_bytes_of_an_identity_file() {
        let secret = |byte| Secret::new([byte; 32]);
        let identity = Identity { signing: secret(2), transport: secret(3), root: secret(4) };
        let bytes = identity.sealed(&MasterKey(secret(1)), [7; 12]);
        assert_eq!(bytes.len(), 1 + 12 + 96 + 16);
        assert_eq!(
            hex::encode(&bytes),
            concat!(
                "0107070707070707070707070732f33a2a9c9198d5c5f007f4938724333d6c65d9874446b3852e55d856cabf47bcf1e49926b0c4",
                "f61cd5098ebd0ceea6b7aaeae9e96ed9f4d8ebd8671bf7a43e1ec164170d30e1a078c10d837a481ec6d928a43330ed6bbb310890",
                "f17536ee9fbc605ecdf71bb4cc2414b2bb256e739f"
            )
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", Identity::generate(), MasterKey(Secret::new([1; 32])));
        assert_eq!(shown.matches("<redacted>").count(), 4);
    }
}
