// @generated automatically by Diesel CLI.

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
    }
}

diesel::table! {
    memberships (user_id, room_id) {
        user_id -> BigInt,
        room_id -> BigInt,
        joined_at -> BigInt,
        read_seq -> BigInt,
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
    }
}

diesel::table! {
    server (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::joinable!(memberships -> rooms (room_id));
diesel::joinable!(messages -> rooms (room_id));

diesel::allow_tables_to_appear_in_same_query!(media_items, memberships, messages, rooms, server,);
