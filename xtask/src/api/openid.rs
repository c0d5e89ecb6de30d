//! People who sign in at the console through a provider of somebody else's (oidc-provider): by its own pages, with cookies as a
//! browser keeps them.

use std::collections::BTreeMap;

use crate::Done;
use crate::say;
use crate::stage::{Answered, Stage, send};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// The most pages between setting out and coming back.
const PAGES_MAX: usize = 12;

/// A browser: what each site had it keep.
#[derive(Clone, Default)]
struct Browser {
    kept: BTreeMap<String, BTreeMap<String, String>>,
}

/// The console, and who has gone through the provider.
pub(super) struct SignIn {
    console: String,
    issuer: String,
    /// A browser on its way back with a code that will have ended when it comes there.
    early: (Browser, String),
    checks: usize,
}

/// Where the provider sends browsers back: the console's own address.
pub(super) fn redirect(stage: &Stage) -> String {
    format!("http://localhost:{}/sign-in/provider/back", stage.port("console"))
}

impl SignIn {
    /// Admits a viewer whom the provider knows, and takes a code that lasts a second.
    pub(super) fn admitted(stage: &Stage, issuer: &str) -> Done<Self> {
        let subject = format!("{issuer}#vera");
        let words = ["member", "new", "vera", "--role", "viewer", "--expires", "30d"];
        let words = [&words[..], &["--subject", &subject, "--credential", "vera"]].concat();
        stage.agreed(&words)?;
        let console = format!("http://localhost:{}", stage.port("console"));
        let issuer = issuer.to_owned();
        let mut found = Self { console, issuer, early: Default::default(), checks: 0 };
        let mut browser = Browser::default();
        let back = found.provided(&mut browser, "early", |sent| sent)?;
        found.early = (browser, back);
        Ok(found)
    }

    /// Signs in and is refused in every way that a real provider allows. Gives how many answers were as they must be.
    pub(super) fn signs_in_by_the_book(mut self, stage: &Stage) -> Done<usize> {
        let mut vera = Browser::default();
        let back = self.provided(&mut vera, "vera", |sent| sent)?;
        let begun = vera.clone();
        self.expect("vera comes back", &vera.get(&back)?, 200, "You are signed in")?;
        let home = vera.get(&self.console)?;
        self.expect("vera's first page", &home, 200, "as vera (viewer, through the provider)")?;
        self.files_nothing(&mut vera)?;
        let mut again = begun;
        self.expect("a code that was used", &again.get(&back)?, 401, "no identity for this code")?;
        let (mut early, back) = std::mem::take(&mut self.early);
        self.expect("a code that ended", &early.get(&back)?, 401, "no identity for this code")?;
        self.strangers()?;
        let out = vera.post(&format!("{}/sign-out", self.console), "", &self.console)?;
        let taken_back = format!("quorate-console-{}=;", stage.port("console"));
        self.expect("signing out", &out, 200, &taken_back)?;
        self.expect("whoever signed out", &vera.get(&self.console)?, 200, "Sign in through")?;
        self.signs_out_there_too(&mut vera)?;

        let mut vera = Browser::default();
        let back = self.provided(&mut vera, "vera", |sent| sent)?;
        self.expect("vera comes again", &vera.get(&back)?, 200, "You are signed in")?;
        stage.desk(&["member", "revoke", "vera"])?;
        let ledger = vera.get(&format!("{}/ledger", self.console))?;
        self.expect("whoever was revoked", &ledger, 401, "Your token")?;
        say::line(
            "api: whoever signs in through a provider looks as the book lets them, and no more",
        );
        Ok(self.checks)
    }

    /// At the provider's own pages, which ask for somebody's name again only once they signed out there.
    fn signs_out_there_too(&mut self, vera: &mut Browser) -> Done {
        let begin = format!("{}/sign-in/provider", self.console);
        let asked = |vera: &mut Browser, issuer: &str| {
            let mut at = location(&vera.get(&begin)?)?;
            if let Ok(next) = location(&vera.get(&at)?) {
                at = if next.starts_with('/') { format!("{issuer}{next}") } else { next };
            }
            Ok::<_, String>(
                at.starts_with(issuer) && vera.get(&at)?.text.contains("name=\"login\""),
            )
        };
        if asked(&mut vera.clone(), &self.issuer)? {
            return Err("the provider forgot vera before she signed out there".to_owned());
        }
        let sent = location(&vera.get(&format!("{}/sign-out/provider", self.console))?)?;
        let place = format!("{}/session/end?client_id=console", self.issuer);
        if sent != place {
            return Err(format!("to sign out, people are sent to {sent} and not to {place}"));
        }
        let page = vera.get(&sent)?;
        self.expect("the provider's question", &page, 200, "name=\"xsrf\"")?;
        let after = page.text.split_once("name=\"xsrf\" value=\"").map_or("", |(_, after)| after);
        let (xsrf, _) = after.split_once('"').ok_or("the provider's question has no secret")?;
        let form = format!("xsrf={xsrf}&logout=yes");
        let answer =
            vera.post(&format!("{}/session/end/confirm", self.issuer), &form, &self.issuer)?;
        self.expect("signing out there", &answer, 303, "/session/end/success")?;
        if !asked(vera, &self.issuer)? {
            return Err("vera signed out at the provider and is signed in there still".to_owned());
        }
        Ok(())
    }

    fn files_nothing(&mut self, vera: &mut Browser) -> Done {
        for (path, form) in [("file", "ask=x"), ("policy", "policy=x")] {
            let said = vera.post(&format!("{}/{path}", self.console), form, &self.console)?;
            self.expect("what vera files", &said, 403, "looks and files nothing")?;
        }
        Ok(())
    }

    /// Whom the book does not know, and answers to another browser, sign-in, challenge or provider.
    fn strangers(&mut self) -> Done {
        let mut mallory = Browser::default();
        let back = self.provided(&mut mallory, "mallory", |sent| sent)?;
        let told = format!("{}#mallory", self.issuer);
        self.expect("somebody else", &mallory.get(&back)?, 401, &told)?;
        let (mut other, mut vera) = (Browser::default(), Browser::default());
        other.get(&format!("{}/sign-in/provider", self.console))?;
        let back = self.provided(&mut vera, "vera", |sent| sent)?;
        self.expect("another browser", &other.get(&back)?, 401, "begun no such sign-in")?;
        let of = |name: &str, sent: String| {
            let (before, rest) = sent.split_once(&format!("{name}=")).unwrap_or((&sent, ""));
            let rest = rest.split_once('&').map_or("", |(_, rest)| rest);
            format!("{before}{name}={}&{rest}", "A".repeat(43))
        };
        for (name, said) in [
            ("nonce", "belongs to another sign-in"),
            ("state", "begun no such sign-in"),
            ("code_challenge", "no identity for this code"),
        ] {
            let mut browser = Browser::default();
            let back = self.provided(&mut browser, "vera", |sent| of(name, sent))?;
            self.expect(name, &browser.get(&back)?, 401, said)?;
        }
        let mut browser = Browser::default();
        let back = self.provided(&mut browser, "vera", |sent| sent)?;
        let (before, _) = back.split_once("&iss=").ok_or("the provider does not say who it is")?;
        let back = format!("{before}&iss=https%3A%2F%2Felsewhere.example");
        self.expect("another issuer", &browser.get(&back)?, 401, "of another provider")
    }

    /// Sets out from the console and signs in at the provider's pages as somebody; gives where the browser is sent back to.
    /// `bent` may bend the address to which the console sends it.
    fn provided(
        &self,
        browser: &mut Browser,
        who: &str,
        bent: impl Fn(String) -> String,
    ) -> Done<String> {
        let said = browser.get(&format!("{}/sign-in/provider", self.console))?;
        let mut at = bent(location(&said)?);
        for _ in 0..PAGES_MAX {
            if at.starts_with(&self.console) {
                return Ok(at);
            }
            let page = browser.get(&at)?;
            let answer = match page.status {
                302 | 303 => page,
                200 if page.text.contains("name=\"login\"") => browser.post(
                    &at,
                    &format!("prompt=login&login={who}&password=x"),
                    &self.issuer,
                )?,
                200 => browser.post(&at, "prompt=consent", &self.issuer)?,
                _ => return Err(format!("the provider says at {at}: {} {}", page.head, page.text)),
            };
            at = location(&answer)?;
            if at.starts_with('/') {
                at = format!("{}{at}", self.issuer);
            }
        }
        Err(format!("the provider sends {who} on and on, at last to {at}"))
    }

    fn expect(&mut self, what: &str, answer: &Answered, status: u16, said: &str) -> Done {
        let Answered { head, text, .. } = answer;
        if answer.status != status || !(head.contains(said) || text.contains(said)) {
            return Err(format!("{what}: not {status} with `{said}` but {head}\n{text}"));
        }
        self.checks = self.checks.saturating_add(1);
        Ok(())
    }
}

impl Browser {
    fn get(&mut self, url: &str) -> Done<Answered> {
        self.ask("GET", url, &[], "")
    }

    fn post(&mut self, url: &str, form: &str, origin: &str) -> Done<Answered> {
        self.ask("POST", url, &[FORM, ("Origin", origin)], form)
    }

    fn ask(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Done<Answered> {
        let site = url.split('/').nth(2).unwrap_or_default().to_owned();
        let kept = self.kept.entry(site).or_default();
        let pairs: Vec<String> =
            kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = pairs.join("; ");
        let answer = send(method, url, &[headers, &[("Cookie", cookies.as_str())]].concat(), body)?;
        for line in answer.head.lines() {
            let Some((name, line)) = line.split_once(": ") else { continue };
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair.filter(|_| name.eq_ignore_ascii_case("set-cookie")) {
                if value.is_empty() {
                    kept.remove(name);
                } else {
                    kept.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(answer)
    }
}

fn location(answer: &Answered) -> Done<String> {
    let mut lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("location"));
    let nowhere = || format!("nobody is sent on by {}\n{}", answer.head, answer.text);
    found.map(|(_, url)| url.to_owned()).ok_or_else(nowhere)
}
