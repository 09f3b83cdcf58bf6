//! Payment, banking, and shops.

use bartizan_core::Severity;

use super::{SecretFormat, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.stripe-key",
        "STRIPE_KEY",
        "a Stripe secret or restricted key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,120}",
    )
    .entropy(3.2)
    .severity(Severity::Critical),
    token(
        "secret.stripe-webhook-secret",
        "STRIPE_WEBHOOK_SECRET",
        "a webhook signing secret",
        &["whsec_"],
        r"whsec_[A-Za-z0-9+/=]{32,80}",
    ),
    token(
        "secret.square-token",
        "SQUARE_TOKEN",
        "a Square access token or secret",
        &["sq0atp-", "sq0csp-", "sq0idp-", "EAAA"],
        r"(?:sq0atp-[A-Za-z0-9_-]{22}|sq0[ci][sd]p-[A-Za-z0-9_-]{43}|EAAA[A-Za-z0-9_-]{60})",
    )
    .check(proof::three_classes),
    token(
        "secret.braintree-token",
        "BRAINTREE_TOKEN",
        "a PayPal Braintree access token",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",
    ),
    token(
        "secret.plaid-token",
        "PLAID_TOKEN",
        "a Plaid access token",
        &[
            "access-sandbox-",
            "access-development-",
            "access-production-",
        ],
        r"access-(?:sandbox|development|production)-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    ),
    token(
        "secret.shopify-token",
        "SHOPIFY_TOKEN",
        "a Shopify token or secret",
        &["shpat_", "shpss_", "shpca_", "shppa_", "shptka_"],
        r"shp(?:at|ss|ca|pa|tka)_[a-fA-F0-9]{32}",
    ),
    token(
        "secret.flutterwave-key",
        "FLUTTERWAVE_KEY",
        "a Flutterwave secret key",
        &["FLWSECK_TEST-", "FLWSECK-"],
        r"FLWSECK(?:_TEST)?-[a-zA-Z0-9]{12,40}(?:-X)?",
    ),
    token(
        "secret.easypost-key",
        "EASYPOST_KEY",
        "an EasyPost API key",
        &["EZAK", "EZTK"],
        r"EZ[AT]K[A-Za-z0-9]{54}",
    ),
    token(
        "secret.shippo-token",
        "SHIPPO_TOKEN",
        "a Shippo API token",
        &["shippo_live_", "shippo_test_"],
        r"shippo_(?:live|test)_[a-f0-9]{40}",
    ),
    token(
        "secret.duffel-token",
        "DUFFEL_TOKEN",
        "a Duffel API token",
        &["duffel_live_", "duffel_test_"],
        r"duffel_(?:live|test)_[A-Za-z0-9_-]{43}",
    ),
    token(
        "secret.razorpay-key",
        "RAZORPAY_KEY",
        "a Razorpay key id",
        &["rzp_live_", "rzp_test_"],
        r"rzp_(?:live|test)_[A-Za-z0-9]{14}",
    )
    .confidence(0.85),
];
