//! The narrator: numbered chapters, told lines, checks that end the story when they fail, and where everything is.

use crate::Done;
use crate::say::{self, Colour};

/// Tells a story in chapters.
pub(crate) struct Narrator {
    chapter: usize,
    places: Vec<(String, String)>,
}

impl Narrator {
    pub(crate) const fn new() -> Self {
        Self { chapter: 0, places: Vec::new() }
    }

    /// Begins a chapter.
    pub(crate) fn chapter(&mut self, title: &str) {
        self.chapter = self.chapter.saturating_add(1);
        say::line(say::paint(Colour::Bold, &format!("\n{}. {title}", self.chapter)));
    }

    /// Tells one thing that happened.
    pub(crate) fn tell(&self, text: &str) {
        say::line(format!("   {text}"));
    }

    /// Checks what the story claims; a claim that fails ends it.
    pub(crate) fn expect(&self, holds: bool, claim: &str) -> Done {
        if holds {
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
