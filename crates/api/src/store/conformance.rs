//! The contract of a store as tests, written once. `conforms!` runs all of them on one store; every test gets an empty one.

pub(super) mod accounts;
pub(super) mod events;
pub(super) mod integrations;
pub(super) mod log;
pub(super) mod marks;
pub(super) mod mentions;
pub(super) mod messages;
pub(super) mod refusals;
pub(super) mod rooms;
pub(crate) mod script;
pub(super) mod search;
pub(super) mod sessions;
pub(super) mod uploads;
mod world;

pub(crate) use world::{Dice, World, body, calling, emoji, message, reply, seqs, whisper};

/// Makes a test of each promise. `$open` is an async function that gives a [`World`] around an empty store; the attributes
/// come before every test.
macro_rules! conforms {
    ($open:ident $(, #[$attribute:meta])*) => {
        $crate::store::conformance::conforms! { [$(#[$attribute])*] $open =>
            accounts: [
                a_hundred_registrations_of_one_name_make_one_account,
                people_are_found_and_changed,
                a_lost_answer_can_be_asked_for_again,
                a_guest_becomes_a_person_once,
                people_are_searched_in_pages,
                administrators_are_made_and_unmade,
                everybody_is_listed_for_administrators,
                what_is_known_of_somebody_is_erased_for_good,
            ]
            sessions: [
                fifty_refreshes_at_once_have_one_successor,
                a_predecessor_is_good_for_the_grace_time_and_no_longer,
                a_token_from_before_the_predecessor_ends_the_family,
                what_was_never_a_token_ends_nothing,
                a_login_ends_by_time_and_rotation_does_not_move_it,
                logins_are_listed_and_revoked,
                dead_logins_are_told_from_live_ones,
            ]
            integrations: [
                an_integration_is_a_person_with_a_secret,
                a_revoked_integration_stays_revoked,
            ]
            rooms: [
                a_hundred_rooms_of_one_name_make_one_room,
                a_room_is_made_once_however_often_it_is_asked_for,
                codes_are_unique_and_can_be_switched_off,
                the_directory_comes_in_pages,
                every_room_is_listed_for_administrators,
                fifty_first_messages_make_one_direct_conversation,
                people_come_and_go_and_are_banned,
                members_come_by_role_and_name,
                an_overview_shows_what_is_unread_for_each,
                unread_is_counted_to_its_limit,
                acquaintances_share_a_room,
            ]
            log: [
                fifty_writers_give_contiguous_seqs,
                nothing_appears_below_a_cursor,
                one_client_id_sent_twenty_times_at_once_is_one_entry,
                a_client_id_is_its_authors_and_its_rooms,
                a_repeat_gets_the_first_entry_whatever_has_happened_since,
                catching_up_brings_everything_that_happened,
                many_cursors_are_answered_in_one_read,
                what_has_happened_already_is_not_done_again,
            ]
            messages: [
                the_page_equals_the_log_applied,
                pages_go_back_and_forth_and_lose_no_event,
                a_page_around_a_message_has_both_sides,
                whispers_are_for_two,
                a_deletion_blanks_everywhere,
                reactions_keep_their_order,
                pins_are_listed_and_change_with_their_messages,
            ]
            refusals: [
                only_members_write,
                an_archived_room_takes_nothing_but_going_and_opening,
                what_is_changed_must_be_there,
                reactions_have_a_limit,
                pins_have_a_limit,
                names_are_unique_when_rooms_are_renamed,
                a_room_is_not_left_without_an_owner,
                a_reply_and_a_whisper_name_what_is_there,
                nobody_is_in_more_rooms_than_allowed,
                a_refusal_takes_nothing_else_with_it,
            ]
            marks: [
                watermarks_never_go_back_and_stop_at_the_head,
            ]
            mentions: [
                who_is_mentioned_is_counted_as_the_text_stands,
                everybody_is_everybody_else,
                mentions_are_counted_to_their_limit,
                a_call_is_heard_by_members,
                what_calls_for_attention_is_kept_for_each,
            ]
            events: [
                events_are_kept_once_and_come_newest_first,
                events_are_found_by_kind_person_and_time,
                events_are_added_up_by_stretches_of_time,
                old_events_are_forgotten,
            ]
            uploads: [
                an_image_belongs_to_one_message_of_its_owner,
                what_was_never_sent_is_forgotten,
                a_message_is_found_by_what_its_author_called_it,
                a_person_has_a_picture_or_none,
            ]
            search: [
                words_are_found_by_their_beginnings,
                only_what_the_reader_may_see_is_found,
                edits_and_deletions_change_what_is_found,
                hostile_queries_are_words,
                hits_come_newest_first_in_pages,
            ]
        }
    };
    ($attributes:tt $open:ident => $($file:ident: [$($name:ident,)*])*) => {
        $(mod $file {
            $($crate::store::conformance::conforms! { $attributes $open, $file, $name })*
        })*
    };
    ([$(#[$attribute:meta])*] $open:ident, $file:ident, $name:ident) => {
        $(#[$attribute])*
        #[tokio::test]
        async fn $name() {
            $crate::store::conformance::$file::$name(&super::$open().await).await;
        }
    };
}
pub(super) use conforms;
