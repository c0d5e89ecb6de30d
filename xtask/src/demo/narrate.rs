//! The narrator: numbered chapters, told lines, checks that end the story when they fail, and where everything is.

use std::time::Instant;

use crate::Done;
use crate::say::{self, Colour};

/// Tells a story in chapters.
pub(crate) struct Narrator {
    chapter: usize,
    claims: usize,
    begun: Option<Instant>,
    places: Vec<(String, String)>,
}

impl Narrator {
    pub(crate) const fn new() -> Self {
        Self { chapter: 0, claims: 0, begun: None, places: Vec::new() }
    }

    /// How many claims were checked.
    pub(crate) const fn claims(&self) -> usize {
        self.claims
    }

    /// Building is over; what follows is the story.
    pub(crate) fn begin_the_clock(&mut self) {
        self.begun = Some(Instant::now());
    }

    /// Begins a chapter.
    pub(crate) fn chapter(&mut self, title: &str) {
        self.chapter = self.chapter.saturating_add(1);
        let since = self.begun.map(|begun| say::lasted(begun.elapsed())).unwrap_or_default();
        let since = say::paint(Colour::Dim, &since);
        let title = say::paint(Colour::Bold, &format!("{}. {title}", self.chapter));
        say::line(format!("\n{title}  {since}"));
    }

    /// Tells one thing that happened.
    pub(crate) fn tell(&self, text: &str) {
        say::line(format!("   {text}"));
    }

    /// Checks what the story claims; a claim that fails ends it.
    pub(crate) fn expect(&mut self, holds: bool, claim: &str) -> Done {
        if holds {
            self.claims = self.claims.saturating_add(1);
            say::line(format!("   {} {claim}", say::paint(Colour::Green, "✓")));
            return Ok(());
        }
        Err(format!("chapter {}: it should hold that {claim}", self.chapter))
    }

    /// Remembers where something is, for the end.
    pub(crate) fn place(&mut self, name: &str, at: &str) {
        self.places.push((name.to_owned(), at.to_owned()));
    }

    /// Prints where everything is and waits until somebody presses return.
    pub(crate) fn wait_for_return(&self) -> Done {
        say::line(say::paint(Colour::Bold, "\nEverything stays up. It is here:"));
        for (name, at) in &self.places {
            say::line(format!("   {name:<12} {at}"));
        }
        say::line(say::paint(Colour::Dim, "   press return to end"));
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(|e| format!("no terminal ({e})"))?;
        Ok(())
    }
}
