//! The cluster's API, through a `kubectl proxy` of our own: plain HTTP on the loopback interface.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The proxy, which ends with this.
pub(crate) struct Proxy {
    child: Child,
    address: SocketAddr,
}

/// Who asks; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api {
    address: SocketAddr,
}

/// What the API server said. `status` is 0 where it said nothing, and `text` says why.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// Longer than the API server takes to give up on anything.
const PATIENCE: Duration = Duration::from_secs(70);

impl Proxy {
    /// Starts it for the cluster of KUBECONFIG.
    pub(crate) fn start() -> Result<Self, String> {
        let mut child = Command::new("kubectl")
            .args(["proxy", "--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // While the API server is away it says so for each request, and so does the answer.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start kubectl proxy: {error}"))?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("kubectl proxy has no output")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let address = line.trim().strip_prefix("Starting to serve on ").and_then(|address| address.parse().ok());
        match (read, address) {
            (Ok(_), Some(address)) => Ok(Self { child, address }),
            _ => {
                let _ = child.kill();
                Err(format!("kubectl proxy says \"{}\"", line.trim()))
            }
        }
    }

    pub(crate) fn api(&self) -> Api {
        Api { address: self.address }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Api {
    pub(crate) fn get(self, path: &str) -> Answer {
        self.ask("GET", path, "application/json", "")
    }

    pub(crate) fn create(self, path: &str, object: &Value) -> Answer {
        self.ask("POST", path, "application/json", &object.to_string())
    }

    pub(crate) fn merge(self, path: &str, change: &Value) -> Answer {
        self.ask("PATCH", path, "application/merge-patch+json", &change.to_string())
    }

    /// At once, and what it owns soon afterwards.
    pub(crate) fn delete(self, path: &str) -> Answer {
        let options = r#"{"gracePeriodSeconds":0,"propagationPolicy":"Background"}"#;
        self.ask("DELETE", path, "application/json", options)
    }

    fn ask(self, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
        self.exchange(method, path, content_type, body)
            .unwrap_or_else(|error| Answer { status: 0, text: error.to_string() })
    }

    fn exchange(self, method: &str, path: &str, content_type: &str, body: &str) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // HTTP/1.0: an answer ends with its connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok(Answer { status, text: text.to_owned() })
    }
}

impl Answer {
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What was said, as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// What it says of itself, short.
    pub(crate) fn message(&self) -> String {
        let json = self.json();
        let message = json.get("message").and_then(Value::as_str).unwrap_or(&self.text);
        format!("{} {}", self.status, message.trim().chars().take(300).collect::<String>())
    }
}
