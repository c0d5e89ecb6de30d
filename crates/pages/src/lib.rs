//! The look that every screen shares: layout, components, charts, the passkey script.
//!
//! Nothing here knows who serves it: a caller gives values, and gets bytes with the headers that belong to them. Text becomes
//! [`Markup`] only through a component or a template, so nothing that somebody wrote elsewhere can become part of a page by
//! mistake; [`outside()`] also makes visible what such text hides.
//!
//! Reading order: what is safe to show, text from outside, the parts of a page, and last the page, its files and its headers.

pub mod markup;
pub mod outside;

pub mod charts;
pub mod fields;
pub mod layout;
pub mod levels;
pub mod passkey;
pub mod proof;
pub mod qr;
pub mod signs;
pub mod standing;
pub mod text;
pub mod values;

pub mod assets;
pub mod frame;
pub mod headers;

pub use assets::{ASSET_CACHE, Asset, asset, assets};
pub use charts::{Bar, bars, elsewhere, heading, timeline};
pub use fields::{
    Field, Said, choice_field, choice_field_said, file_field, file_field_said, first_press, group,
    long_field, long_field_said, press, secret_field, text_field, text_field_said,
};
pub use frame::{Alert, Frame, Link};
pub use headers::{REPORTS, headers, headers_under_tls};
pub use layout::{details, empty, facts, table};
pub use levels::{Level, Third, levels, split};
pub use markup::Markup;
pub use outside::{outside, visible};
pub use passkey::{
    CreatePasskey, GetPasskey, Press, code_form, form, form_as, hidden, link, link_named,
    recompute, upload_form,
};
pub use proof::{Proof, proof};
pub use qr::qr;
pub use signs::{Tone, badge, gauge, progress};
pub use standing::{Look, Share, Tile, look_key, shares, strip, tiles};
pub use text::{code_block, paragraph, section, shell_word};
pub use values::{address, amount, digest, when};
