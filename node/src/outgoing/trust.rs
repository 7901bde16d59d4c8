//! Whose certificates are accepted: those of the system, or of a file that an operator names.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// For the authorities in a file (PEM), or those that the system trusts.
///
/// # Errors
/// What is wrong and what to do.
pub fn client(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let certificates = match authorities {
        Some(file) => of_file(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates);
    if taken == 0 {
        let nothing = "no certificate of an authority was found; install the system's (ca-certificates), or name a file";
        return Err(nothing.to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn of_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |problem: String| format!("{}: {problem}", file.display());
    let read = CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    read.collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))
}
