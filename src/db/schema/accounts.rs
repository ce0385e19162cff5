// @generated automatically by Diesel CLI.

diesel::table! {
    arrivals (user_id) {
        user_id -> BigInt,
        invite_id -> BigInt,
        arrived_at -> BigInt,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> BigInt,
        deed -> Text,
        actor_id -> Nullable<BigInt>,
        actor_username -> Text,
        actor_name -> Text,
        target_id -> Nullable<BigInt>,
        target_username -> Text,
        target_name -> Text,
        detail -> Text,
    }
}

diesel::table! {
    handovers (id) {
        id -> BigInt,
        user_id -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        number -> Nullable<Integer>,
        claim_hash -> Nullable<Text>,
        device -> Text,
        allowed -> Bool,
    }
}

diesel::table! {
    invites (id) {
        id -> BigInt,
        code_hash -> Text,
        label -> Text,
        made_by -> BigInt,
        uses -> BigInt,
        used -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    pictures (user_id) {
        user_id -> BigInt,
        mime -> Text,
        content -> Binary,
        chosen_at -> BigInt,
    }
}

diesel::table! {
    recovery_codes (user_id, code_hash) {
        user_id -> BigInt,
        code_hash -> Text,
    }
}

diesel::table! {
    resets (user_id) {
        user_id -> BigInt,
        code_hash -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    second_steps (user_id) {
        user_id -> BigInt,
        secret -> Text,
        last_step -> BigInt,
        confirmed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        key_hash -> Text,
        user_id -> Nullable<BigInt>,
        state -> Text,
        device -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        token_hash -> Text,
        label -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        display_name -> Text,
        password_hash -> Nullable<Text>,
        role -> Text,
        disabled -> Bool,
        hue -> Nullable<Integer>,
        sounds -> Bool,
        status_state -> Text,
        status_text -> Text,
        last_place -> Text,
        login_count -> BigInt,
        last_login_at -> Nullable<BigInt>,
        previous_login_at -> Nullable<BigInt>,
        created_at -> BigInt,
        private_key_hash -> Nullable<Text>,
        direct_only_by_key -> Bool,
        last_seen_at -> Nullable<BigInt>,
        picture -> Nullable<Text>,
        silenced_until -> Nullable<BigInt>,
    }
}

diesel::joinable!(arrivals -> invites (invite_id));
diesel::joinable!(arrivals -> users (user_id));
diesel::joinable!(handovers -> users (user_id));
diesel::joinable!(invites -> users (made_by));
diesel::joinable!(pictures -> users (user_id));
diesel::joinable!(recovery_codes -> users (user_id));
diesel::joinable!(resets -> users (user_id));
diesel::joinable!(second_steps -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(tokens -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    arrivals,
    audit,
    handovers,
    invites,
    pictures,
    recovery_codes,
    resets,
    second_steps,
    sessions,
    tokens,
    users,
);
