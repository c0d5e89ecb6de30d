//! Both doors of a whole desk that demands keys, on a real socket.

use std::net::SocketAddr;

use quorate_gateway::http::{Allowed, Limits, Setup, router};
use quorate_gateway::limit::Rate;
use quorate_terms::credential::Band;
use quorate_terms::intent::Action;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::desk::engine::house::credential;
use crate::desk::office::Here;
use crate::desk::room::Room;

const DESK: &str = "https://desk.example";
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;

/// A question at one of the doors: the door, the method, the path, and what is sent.
#[derive(Clone, Copy)]
struct Ask {
    door: &'static str,
    method: &'static str,
    other: &'static str,
    path: &'static str,
    body: &'static str,
}

const ASKS: [Ask; 2] = [
    Ask { door: "/api/v1", method: "GET", other: "POST", path: "/api/v1/me", body: "" },
    Ask { door: "/mcp", method: "POST", other: "GET", path: "/mcp", body: LIST },
];

impl Ask {
    async fn at(self, address: SocketAddr, authorization: &str, proof: Option<&str>) -> String {
        let proof = proof.map(|proof| format!("dpop: {proof}\r\n")).unwrap_or_default();
        let mcp = match self.body {
            "" => "accept: application/json\r\n",
            _ => {
                "accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
                 mcp-protocol-version: 2025-11-25\r\n"
            }
        };
        let text = format!(
            "{} {} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\n{proof}{mcp}\
             content-length: {}\r\nconnection: close\r\n\r\n{}",
            self.method,
            self.path,
            self.body.len(),
            self.body
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        String::from_utf8(said).unwrap()
    }

    /// A refusal, and what it says of how to come in.
    fn refused(self, said: &str, code: &str, error: &str, by_bearer: bool) {
        assert!(said.starts_with("HTTP/1.1 401") && said.contains(code), "{said}");
        let metadata = format!("{DESK}/.well-known/oauth-protected-resource{}", self.door);
        let why = format!("realm=\"quorate\", resource_metadata=\"{metadata}\", error=\"{error}\"");
        let bearer = format!("www-authenticate: Bearer {why}\r\n");
        assert_eq!(said.contains(&bearer), by_bearer, "{bearer}: {said}");
        assert_eq!(said.contains("www-authenticate: Bearer"), by_bearer, "{said}");
        let dpop = format!("www-authenticate: DPoP {why}, algs=\"");
        assert!(said.contains(&dpop), "{dpop}: {said}");
    }
}

async fn demanding(room: &Room, server: &Server) -> SocketAddr {
    let mut bot = credential("bot", room.clock.now().plus_s(86_400));
    bot.token = subject_digest(ISSUER, "bot").unwrap();
    room.administer(Action::IssueCredential { credential: bot }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let rate = Rate { burst: 10_000, ..Rate::default() };
    let setup = Setup {
        allowed: Allowed::new([address.to_string()], [""; 0]),
        public_url: DESK.to_owned(),
        stateful: false,
        tokens: Some(Arc::new(oauth_that(server, true).await)),
        limits: Limits { rate, ..Limits::default() },
        clock: Arc::new(|| 0),
        ready: Arc::new(|| true),
        metrics: Arc::new(String::new),
    };
    let office = Arc::new(Here(room.world.clone()));
    let router = router(room.answers.clone(), office, Band::Broadcast, setup).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_keys_are_demanded_every_door_takes_a_proof_once_and_no_access_token_of_a_bearer() {
    let (room, server) = (Room::new().await, Server::new(1));
    let address = demanding(&room, &server).await;
    for ask in ASKS {
        let mut claims = claims();
        claims["aud"] = json!(format!("{DESK}{}", ask.door));
        let loose = server.signed(&header(), &claims);
        claims["cnf"] = json!({ "jkt": print(&public(&server, "ec")) });
        let bound = server.signed(&header(), &claims);
        let proof = |token: &str, name: &str, method: &str| {
            let url = json!(format!("{DESK}{}", ask.path));
            let jti = json!(format!("{name} at {}", ask.door));
            let changes = [("jti", jti), ("htm", json!(method)), ("htu", url)];
            made(&server, token, &changes)
        };
        let (as_bearer, as_dpop) = (format!("Bearer {loose}"), format!("DPoP {loose}"));
        let of_loose = proof(&loose, "loose", ask.method);
        let bare = format!("Bearer {bound}");
        for (authorization, proof) in
            [(&as_bearer, None), (&as_dpop, Some(of_loose.as_str())), (&bare, None)]
        {
            let said = ask.at(address, authorization, proof).await;
            ask.refused(&said, "CREDENTIAL_INVALID", "invalid_token", true);
        }
        let proved = format!("DPoP {bound}");
        let good = proof(&bound, "good", ask.method);
        let said = ask.at(address, &proved, Some(&good)).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        let for_other = proof(&bound, "other", ask.other);
        for bad in [&good, &for_other] {
            let said = ask.at(address, &proved, Some(bad)).await;
            ask.refused(&said, "PROOF_INVALID", "invalid_dpop_proof", false);
        }
        let said = ask.at(address, "Bearer trader", None).await;
        assert!(said.starts_with("HTTP/1.1 200"), "the desk's own token: {said}");
    }
}
