//! Everything that is tested on the whole: one binary, one module per matter.
//!
//! The shape of the project, read from its files:
//! - `floors`      imports go downwards only, and every module stands on a floor
//! - `schema`      the tables that Diesel is told of are the tables that the migrations make, on both engines
//! - `licences`    every dependency may be used and passed on under a permissive licence
//! - `settings`    the README's table of settings says what the program says
//! - `catalogue`   what the build collects for the languages of `locales/`
//! - `words`       nothing half done, no machine's own paths, every module introduces itself
//!
//! What people and programs get from a running server, on SQLite, or with `HUBBUB_TEST_POSTGRES` on Postgres:
//! - `accounts`    register, log in, enter as a guest, log out, sessions, the shell's `user` commands
//! - `administration` roles, locking out, links for a new password: who may do it to whom
//! - `moderation`  time-outs, bans, the log of it all: who may do it to whom
//! - `takedowns`   what somebody wrote, taken down and brought back, over a restart too
//! - `order`       what may be said, and how often: the filter, those who are new, slow mode
//! - `second_step` another password, a code after it, recovery codes, how often one may guess
//! - `handover`    signing in on another device
//! - `invites`     links by which people make accounts: needed or not, used up, ended, who came by which
//! - `keys`        private keys, API tokens, guests who become accounts, what guests may do
//! - `people`      who is here and since when not, cards, blocks, reports
//! - `board`       notes by form and by socket, at once for everybody
//! - `channels`    create, join, talk, read back, leave, unread counts
//! - `amend`       edit, delete, react and pin; replies and threads
//! - `convergence` what a client has seen is what the room is, however often its connection was lost
//! - `groups`      rooms that people run: made, changed, passed on, deleted for everybody at once
//! - `direct`      private conversations, and who is told who is here
//! - `permissions` every route and command × everybody from a stranger to the owner × own, others' and absent things
//! - `outsider`    whoever isn't in a private room gets the answers of a room that isn't there, from every address and command
//! - `classic`     a script of the old program's frames
//! - `members`     who is in a room: the list, and how the others learn of who comes and goes
//! - `reading`     what is unread, levels and calls on all of one's devices, the way to a day
//! - `protocol`    every command of `hubbub.v1`
//! - `frames`      frames that are no requests, frames in parts, and who gets a socket at all
//! - `faces`       the pictures that people choose in the place of their initials
//! - `markdown`    what hostile words come to in every place that shows them, and ordinary ones in a message
//! - `attachments` pictures and files: what comes in, what stays of it, who gets it
//! - `previews`    what linked pages say of themselves: under which messages it comes, who sees it, how it goes
//! - `outward`     no message has the server ask an address that only it can reach
//! - `api`         the HTTP API's description, its errors, its pages
//! - `search`      words in any language, what nobody may find, kept messages
//! - `search_index` the index finds what a look at every message finds
//! - `media`       the library: ranges, files that come and go
//! - `ranges`      the cases of nginx's own tests for ranges and conditions
//! - `shelf`       captions, what is found by them, filters, orders
//! - `lists`       playlists
//! - `playing`     what the player is told: where one was, chapters
//! - `private_media` items for a group or for their uploader alone
//! - `hostile`     broken and hostile files fail alone, in a sentence, and reach nothing
//! - `nodes`       preparing with two programs over one library, and with none of ffmpeg's
//! - `preparing`   films and recordings of every kind become playable; replaced, cancelled, killed on the way
//! - `records`     what is said of an item, and the trash
//! - `uploads`     the way into the library: tus, `curl -T`, quotas, the same content twice, cuts and kills
//! - `talks`       the conversation about an item: once, as visible as the item, with times that lead into it
//! - `together`    watching together: who may, what a late one gets, whose move counts
//! - `live`        streams: who may push and watch, what is remembered, and that no disk is touched
//! - `live_alarms` called out with number and picture, taken on, over, silence, flapping, sudden ends
//! - `live_publish` the demonstration instrument beside a server
//! - `live_push`   every form of a sample, hostile ones, sources that break off or are ended
//! - `live_recording` what is recorded: its film in the library, its readings, over a kill, without room
//! - `live_watch`  viewers from the first frame on, slow ones, idle sources, restarts
//! - `language`    which language a page is in, and in which hue
//! - `headers`     what every answer carries, and who is refused for coming from elsewhere
//! - `traversal`   paths that would lead out of the folders that are served
//! - `tls`         HTTPS: the place's own authority, given files, both ports at once, what is exchanged while it runs
//! - `limits`      how much and how often
//! - `plans`       every question that is asked all day finds what it wants by an index, however much is stored
//! - `crowds`      many who come at once, many who never read
//! - `durability`  the server killed and stopped while people write
//! - `backup`      everything as one file beside a server that is written to, and back; damaged ones; a restore that is killed
//! - `start`       what a start looks at first: a newer program's database, damaged pages, a copy before it migrates
//! - `full_disk`   a disk that takes nothing more, and has room again
//! - `descriptors` no file handle left: who is here talks on, the rest comes back by itself
//! - `verify`      what `hubbub verify` says of what is whole and of what isn't
//!
//! What they are written with: `app` starts a server, `visitor` is somebody at a browser, `socket` speaks
//! WebSocket, `trust` is what a browser trusts, `child` runs the program itself, `clips` makes films, `store` says where the
//! databases are, `statements` overhears what they are asked, `tree` reads the project.

// All of this is test, the helpers too: what meets the unexpected stops there and then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod administration;
mod amend;
mod api;
mod attachments;
mod backup;
mod board;
mod catalogue;
mod channels;
mod classic;
mod convergence;
mod crowds;
mod descriptors;
mod direct;
mod durability;
mod faces;
mod floors;
mod frames;
mod full_disk;
mod groups;
mod handover;
mod headers;
mod hostile;
mod invites;
mod keys;
mod language;
mod licences;
mod limits;
mod lists;
mod live;
mod live_alarms;
mod live_publish;
mod live_push;
mod live_push_socket;
mod live_recording;
mod live_video;
mod live_watch;
mod markdown;
mod media;
mod members;
mod moderation;
mod nodes;
mod order;
mod outsider;
mod outward;
mod people;
mod permissions;
mod plans;
mod playing;
mod preparing;
mod previews;
mod private_media;
mod protocol;
mod ranges;
mod reading;
mod records;
mod schema;
mod search;
mod search_index;
mod second_step;
mod settings;
mod shelf;
mod start;
mod takedowns;
mod talks;
mod tls;
mod together;
mod traversal;
mod uploads;
mod words;

mod app;
mod child;
mod clips;
mod socket;
mod statements;
mod store;
mod tree;
mod trust;
mod verify;
mod visitor;
