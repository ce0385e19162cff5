// @generated automatically by Diesel CLI.

diesel::table! {
    alarms (id) {
        id -> BigInt,
        stream_id -> BigInt,
        rule -> Text,
        reading -> Text,
        value -> Text,
        raised_at -> BigInt,
        over_at -> Nullable<BigInt>,
        retired -> Bool,
        acknowledged_at -> Nullable<BigInt>,
        acknowledged_by -> Nullable<BigInt>,
        acknowledged_name -> Nullable<Text>,
    }
}

diesel::table! {
    attachments (id) {
        id -> BigInt,
        room_id -> BigInt,
        user_id -> BigInt,
        hash -> Text,
        name -> Text,
        attached_at -> BigInt,
        seq -> Nullable<BigInt>,
        description -> Text,
    }
}

diesel::table! {
    blobs (hash) {
        hash -> Text,
        mime -> Text,
        size -> BigInt,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        content -> Binary,
        thumbnail -> Nullable<Binary>,
        thumbnail_mime -> Nullable<Text>,
        stored_at -> BigInt,
        animated -> Bool,
    }
}

diesel::table! {
    blocks (user_id, blocked_id) {
        user_id -> BigInt,
        blocked_id -> BigInt,
        blocked_at -> BigInt,
    }
}

diesel::table! {
    bookmarks (user_id, room_id, seq) {
        user_id -> BigInt,
        room_id -> BigInt,
        seq -> BigInt,
        kept_at -> BigInt,
    }
}

diesel::table! {
    filter_words (id) {
        id -> BigInt,
        word -> Text,
        word_key -> Text,
        effect -> Text,
        added_at -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        kind -> Text,
        subject -> BigInt,
        payload -> Text,
        state -> Text,
        attempts -> Integer,
        progress -> Integer,
        error -> Nullable<Text>,
        queued_at -> BigInt,
        due_at -> BigInt,
        lease -> Nullable<Text>,
    }
}

diesel::table! {
    media_captions (id) {
        id -> BigInt,
        media_id -> BigInt,
        language -> Text,
        label -> Text,
        usual -> Bool,
        vtt -> Text,
        added_at -> BigInt,
    }
}

diesel::table! {
    media_cues (caption_id, number) {
        caption_id -> BigInt,
        number -> BigInt,
        media_id -> BigInt,
        start -> BigInt,
        text -> Text,
        folded -> Text,
    }
}

diesel::table! {
    media_items (id) {
        id -> BigInt,
        path -> Text,
        title -> Text,
        kind -> Text,
        mime -> Text,
        size -> BigInt,
        modified_at -> BigInt,
        added_at -> BigInt,
        gone -> Bool,
        user_id -> Nullable<BigInt>,
        hash -> Nullable<Text>,
        description -> Text,
        tags -> Text,
        licence -> Text,
        trashed_at -> Nullable<BigInt>,
        state -> Nullable<Text>,
        progress -> Integer,
        error -> Nullable<Text>,
        duration -> Nullable<BigInt>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        chapters -> Nullable<Text>,
        prepared -> Nullable<Text>,
        gone_at -> Nullable<BigInt>,
        audience -> Text,
        room_id -> Nullable<BigInt>,
        own_chapters -> Text,
        folded -> Text,
    }
}

diesel::table! {
    media_list_items (list_id, media_id) {
        list_id -> BigInt,
        media_id -> BigInt,
        position -> BigInt,
    }
}

diesel::table! {
    media_lists (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        public -> Bool,
        changed_at -> BigInt,
    }
}

diesel::table! {
    media_positions (user_id, media_id) {
        user_id -> BigInt,
        media_id -> BigInt,
        position -> BigInt,
        length -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    media_uploads (id) {
        id -> Text,
        user_id -> BigInt,
        name -> Text,
        length -> BigInt,
        path -> Nullable<Text>,
        hash -> Nullable<Text>,
        media_id -> Nullable<BigInt>,
        started_at -> BigInt,
        touched_at -> BigInt,
        audience -> Text,
    }
}

diesel::table! {
    memberships (user_id, room_id) {
        user_id -> BigInt,
        room_id -> BigInt,
        joined_at -> BigInt,
        read_seq -> BigInt,
        level -> Text,
    }
}

diesel::table! {
    mentions (user_id, room_id, seq) {
        user_id -> BigInt,
        room_id -> BigInt,
        seq -> BigInt,
    }
}

diesel::table! {
    messages (room_id, seq) {
        room_id -> BigInt,
        seq -> BigInt,
        rev -> BigInt,
        first_rev -> BigInt,
        author_id -> BigInt,
        author_name -> Text,
        author_guest -> Bool,
        nonce -> Text,
        posted_at -> BigInt,
        title -> Nullable<Text>,
        text -> Text,
        reply_to -> Nullable<BigInt>,
        html -> Nullable<Text>,
        edited_at -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        first_digest -> Nullable<Text>,
        thread -> Nullable<BigInt>,
        pinned -> Bool,
        to_all -> Bool,
        reactions -> Nullable<Text>,
        attachments -> Nullable<Text>,
        preview -> Nullable<Text>,
    }
}

diesel::table! {
    paces (room_id, user_id) {
        room_id -> BigInt,
        user_id -> BigInt,
        posted_at -> BigInt,
    }
}

diesel::table! {
    reactions (room_id, seq, emoji, user_id) {
        room_id -> BigInt,
        seq -> BigInt,
        emoji -> Text,
        user_id -> BigInt,
        reacted_at -> BigInt,
    }
}

diesel::table! {
    recordings (id) {
        id -> Text,
        stream_id -> BigInt,
        user_id -> BigInt,
        title -> Text,
        public -> Bool,
        started_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        duration -> Nullable<BigInt>,
        samples -> BigInt,
        bytes -> BigInt,
        media_id -> Nullable<BigInt>,
        settled -> Bool,
        trouble -> Nullable<Text>,
        refused -> Nullable<Text>,
    }
}

diesel::table! {
    reports (id) {
        id -> BigInt,
        room_id -> BigInt,
        seq -> BigInt,
        reporter_id -> BigInt,
        reason -> Text,
        author_id -> BigInt,
        author_name -> Text,
        title -> Nullable<Text>,
        text -> Text,
        reported_at -> BigInt,
        resolved_at -> Nullable<BigInt>,
        resolved_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    rooms (id) {
        id -> BigInt,
        kind -> Text,
        name -> Text,
        name_key -> Nullable<Text>,
        topic -> Text,
        owner_id -> Nullable<BigInt>,
        members -> BigInt,
        last_seq -> BigInt,
        rev -> BigInt,
        created_at -> BigInt,
        active_at -> BigInt,
        peers -> Nullable<Text>,
        deleted_at -> Nullable<BigInt>,
        indexed_rev -> BigInt,
        about_kind -> Nullable<Text>,
        about_id -> Nullable<BigInt>,
        slow_seconds -> Integer,
    }
}

diesel::table! {
    search_documents (segment, part) {
        segment -> BigInt,
        part -> BigInt,
        documents -> Binary,
    }
}

diesel::table! {
    search_segments (id) {
        id -> BigInt,
        state -> Text,
        documents -> BigInt,
        oldest -> BigInt,
        newest -> BigInt,
    }
}

diesel::table! {
    search_words (segment, word, part) {
        segment -> BigInt,
        word -> Text,
        part -> BigInt,
        postings -> Binary,
    }
}

diesel::table! {
    server (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    streams (id) {
        id -> BigInt,
        name -> Text,
        title -> Text,
        public -> Bool,
        user_id -> Nullable<BigInt>,
        key_hash -> Text,
        token_hash -> Nullable<Text>,
        fields -> Text,
        created_at -> BigInt,
        alarms -> Text,
        sampled -> Bool,
        recorder -> Nullable<BigInt>,
    }
}

diesel::table! {
    takedowns (id) {
        id -> BigInt,
        user_id -> BigInt,
        ordered_by -> BigInt,
        ordered_at -> BigInt,
        since -> BigInt,
        state -> Text,
        reached -> Text,
        messages -> BigInt,
    }
}

diesel::table! {
    taken_down (takedown_id, room_id, seq) {
        takedown_id -> BigInt,
        room_id -> BigInt,
        seq -> BigInt,
        title -> Nullable<Text>,
        text -> Text,
        html -> Nullable<Text>,
        edited_at -> Nullable<BigInt>,
        pinned -> Bool,
        to_all -> Bool,
        reactions -> Nullable<Text>,
        attachments -> Nullable<Text>,
        mentions -> Text,
    }
}

diesel::joinable!(alarms -> streams (stream_id));
diesel::joinable!(attachments -> blobs (hash));
diesel::joinable!(attachments -> rooms (room_id));
diesel::joinable!(bookmarks -> rooms (room_id));
diesel::joinable!(media_captions -> media_items (media_id));
diesel::joinable!(media_cues -> media_captions (caption_id));
diesel::joinable!(media_list_items -> media_items (media_id));
diesel::joinable!(media_list_items -> media_lists (list_id));
diesel::joinable!(media_positions -> media_items (media_id));
diesel::joinable!(memberships -> rooms (room_id));
diesel::joinable!(mentions -> rooms (room_id));
diesel::joinable!(messages -> rooms (room_id));
diesel::joinable!(paces -> rooms (room_id));
diesel::joinable!(reactions -> rooms (room_id));
diesel::joinable!(taken_down -> takedowns (takedown_id));

diesel::allow_tables_to_appear_in_same_query!(
    alarms,
    attachments,
    blobs,
    blocks,
    bookmarks,
    filter_words,
    jobs,
    media_captions,
    media_cues,
    media_items,
    media_list_items,
    media_lists,
    media_positions,
    media_uploads,
    memberships,
    mentions,
    messages,
    paces,
    reactions,
    recordings,
    reports,
    rooms,
    search_documents,
    search_segments,
    search_words,
    server,
    streams,
    takedowns,
    taken_down,
);
