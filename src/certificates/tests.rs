use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

/// A pair of PEM texts.
fn pair(days: u64) -> (String, String) {
    let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    wanted.not_before = UNIX_EPOCH.into();
    wanted.not_after = (SystemTime::now() - Duration::from_hours(24) + Duration::from_hours(days * 24)).into();
    let key = rcgen::KeyPair::generate().unwrap();
    (wanted.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(chain: &str, key: &str) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.write(chain, key);
        files
    }

    fn write(&self, chain: &str, key: &str) {
        fs::write(self.chain(), chain).unwrap();
        fs::write(self.key(), key).unwrap();
    }

    fn chain(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }

    fn open(&self) -> Result<(CertificateFiles, Presented), String> {
        CertificateFiles::open(self.chain(), self.key())
            .map(|(files, certificate)| (files, Presented::new(certificate)))
            .map_err(|error| error.to_string().replace(&format!("{}/", self.folder.path().display()), ""))
    }
}

#[test]
fn accepts_names_and_addresses_for_a_self_signed_certificate() {
    let made =
        self_signed(&["webhook.admittance.svc".to_owned(), "10.0.0.7".to_owned(), "localhost".to_owned()]).unwrap();
    let der = CertificateDer::from_pem_slice(made.pem.as_bytes()).unwrap();
    let (_, parsed) = X509Certificate::from_der(&der).unwrap();
    let names = parsed.subject_alternative_name().unwrap().unwrap();
    let names: Vec<_> = names.value.general_names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "DNSName(localhost)",
            "IPAddress(7f:00:00:01)",
            "IPAddress(00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01)",
            "DNSName(webhook.admittance.svc)",
            "IPAddress(0a:00:00:07)"
        ]
    );
    let life = seconds(made.certificate.not_after()) - seconds(SystemTime::now());
    assert!((364 * 86_400..=365 * 86_400).contains(&life), "{life}");
}

#[test]
fn rejects_a_name_that_no_certificate_can_hold() {
    let error = self_signed(&["bücher.example".to_owned()]).unwrap_err().to_string();
    assert!(error.starts_with("cannot make a self-signed certificate ("), "{error}");
}

#[test]
fn rejects_files_that_cannot_be_used_and_names_them() {
    let (chain, key) = pair(30);
    let (other_chain, other_key) = pair(30);
    let old = pair(0);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cases: [(&str, &str, &str); 6] = [
        (
            "",
            &key,
            "\"tls.crt\" is not a usable certificate chain (no CERTIFICATE block found): expected PEM, the leaf first",
        ),
        (broken, &key, "\"tls.crt\" is not a usable certificate chain ("),
        (&chain, "", "\"tls.key\" is not a usable private key (no items found): expected PEM (PKCS#8, PKCS#1 or SEC1)"),
        (
            &chain,
            &other_key,
            "the key in \"tls.key\" does not belong to the certificate in \"tls.crt\": replace both together",
        ),
        (
            &other_chain,
            &key,
            "the key in \"tls.key\" does not belong to the certificate in \"tls.crt\": replace both together",
        ),
        (&old.0, &old.1, "the certificate in \"tls.crt\" has expired: renew it"),
    ];
    for (chain, key, message) in cases {
        let error = Files::new(chain, key).open().map(|_| ()).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    let missing = Files::new(&chain, &key);
    fs::remove_file(missing.key()).unwrap();
    assert_eq!(
        missing.open().map(|_| ()).unwrap_err(),
        "cannot read \"tls.key\": No such file or directory (os error 2)"
    );
    let large = Files::new(&chain, &" ".repeat(2 << 20));
    assert_eq!(large.open().map(|_| ()).unwrap_err(), "cannot read \"tls.key\": file too large");
}

#[test]
fn keeps_the_last_good_pair_and_reports_each_change_once() {
    let (chain, key) = pair(30);
    let on_disk = Files::new(&chain, &key);
    let (mut files, presented) = on_disk.open().unwrap();
    let first = presented.not_after().unwrap();
    assert!(files.poll(&presented).is_none());

    let (next_chain, next_key) = pair(60);
    fs::write(on_disk.chain(), &next_chain).unwrap();
    let Some(Change::Kept(error)) = files.poll(&presented) else { panic!("half a rotation passed for a whole one") };
    assert!(error.to_string().starts_with("the key in \""), "{error}");
    assert!(files.poll(&presented).is_none(), "reported twice");
    assert_eq!(presented.not_after(), Some(first));

    fs::remove_file(on_disk.key()).unwrap();
    assert!(matches!(files.poll(&presented), Some(Change::Kept(_))));
    assert!(files.poll(&presented).is_none(), "reported twice");

    fs::write(on_disk.key(), &next_key).unwrap();
    let Some(Change::Replaced(not_after)) = files.poll(&presented) else { panic!("a good pair was not taken") };
    assert_eq!(Some(not_after), presented.not_after());
    assert_eq!(seconds(not_after) - seconds(first), 30 * 86_400);
    assert!(files.poll(&presented).is_none());
}

#[test]
fn accepts_a_pair_of_the_same_size_written_within_one_tick() {
    let (chain, key) = pair(30);
    let on_disk = Files::new(&chain, &key);
    let (mut files, presented) = on_disk.open().unwrap();
    let modified = fs::metadata(on_disk.chain()).unwrap().modified().unwrap();
    let (next_chain, next_key) = pair(60);
    on_disk.write(&next_chain, &next_key);
    for path in [on_disk.chain(), on_disk.key()] {
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }
    assert!(matches!(files.poll(&presented), Some(Change::Replaced(_))));
}

#[test]
fn keeps_keys_out_of_debug_output() {
    let made = self_signed(&[]).unwrap();
    let printed = format!("{:?}", Presented::new(made.certificate));
    assert!(printed.contains("not_after") && !printed.contains("key"), "{printed}");
}

#[test]
fn keeps_the_cas_of_clients_while_their_file_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let open = || ClientAuthoritiesFile::open(&path).map_err(|error| error.to_string());
    assert_eq!(
        open().unwrap_err(),
        format!("cannot read \"{}\": No such file or directory (os error 2)", path.display())
    );
    fs::write(&path, "").unwrap();
    let message =
        format!("\"{}\" holds no usable CA certificates (no CERTIFICATE block found): expected PEM", path.display());
    assert_eq!(open().unwrap_err(), message);

    let (certificate, _) = pair(30);
    fs::write(&path, &certificate).unwrap();
    let mut file = open().unwrap();
    assert!(file.poll().is_none());
    fs::write(&path, "").unwrap();
    assert_eq!(file.poll().unwrap().unwrap_err().to_string(), message);
    assert!(file.poll().is_none(), "reported twice");
    fs::write(&path, pair(60).0).unwrap();
    assert!(file.poll().unwrap().is_ok());
}
