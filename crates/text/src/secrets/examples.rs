//! Templates of every format, an example and a near miss; see `Source::fill` in the tests.

/// Rule, example, and near miss. What stands before `|` frames the secret.
pub(super) const EXAMPLES: &[(&str, &str, &str)] = &[
    ("secret.aws-access-key-id", r#"AKIA{216}"#, r#"AKIA{24}"#),
    (
        "secret.aws-key-pair",
        r#"AKIA{216},|{A20}+{A18}1"#,
        r#"AKIA{216},|{A20}+{A4}1"#,
    ),
    (
        "secret.aws-secret-access-key",
        r#"aws_secret_access_key = |{A20}/{A16}a1B"#,
        r#"aws_secret_access_key = |{A20}/{A4}a1B"#,
    ),
    (
        "secret.aws-session-token",
        r#"AWS_SESSION_TOKEN=|IQoJ{A180}="#,
        r#"AWS_SESSION_TOKEN=|IQoJ{A4}="#,
    ),
    (
        "secret.aws-bedrock-key",
        r#"ABSKQmVkcm9ja0FQSUtleS{A100}"#,
        r#"ABSKQmVkcm9ja0FQSUtleS{A4}"#,
    ),
    ("secret.google-api-key", r#"AIza{A35}"#, r#"AIza{A4}"#),
    (
        "secret.google-oauth-client-secret",
        r#"GOCSPX-{A28}"#,
        r#"GOCSPX-{A4}"#,
    ),
    (
        "secret.google-oauth-token",
        r#"ya29.{A120}"#,
        r#"ya29.{A4}"#,
    ),
    ("secret.google-refresh-token", r#"1//0{A60}"#, r#"1//0{A4}"#),
    ("secret.google-hmac-key", r#"GOOG1E{U55}"#, r#"GOOG1E{U4}"#),
    (
        "secret.azure-storage-key",
        r#"AccountName=x;AccountKey=|{A86}=="#,
        r#"AccountName=x;AccountKey=|{A4}=="#,
    ),
    (
        "secret.azure-client-secret",
        r#"{A3}8Q~{A34}"#,
        r#"{A3}8Q~{A4}"#,
    ),
    (
        "secret.azure-sas",
        r#"?sv=2022&sig=|{A43}%3D"#,
        r#"?sv=2022&sig=|{A4}%3D"#,
    ),
    (
        "secret.azure-devops-pat",
        r#"{A76}AZDO{A4}"#,
        r#"{A76}AZDO{A3}"#,
    ),
    (
        "secret.azure-functions-key",
        r#"{A44}AzFu{A5}Q=="#,
        r#"{A44}AzFu{A4}Q=="#,
    ),
    (
        "secret.azure-search-key",
        r#"{A42}AzSe{A6}"#,
        r#"{A42}AzSe{A4}"#,
    ),
    (
        "secret.azure-container-registry-key",
        r#"{A42}+ACR{A6}"#,
        r#"{A42}+ACR{A4}"#,
    ),
    (
        "secret.azure-openai-key",
        r#"{A52}JQQJ99{A26}"#,
        r#"{A20}JQQJ99{A26}"#,
    ),
    (
        "secret.alibaba-access-key-id",
        r#"LTAI5t{A17}7"#,
        r#"LTAI5t{A4}7"#,
    ),
    ("secret.tencent-secret-id", r#"AKID{A32}"#, r#"AKID{A4}"#),
    ("secret.yandex-api-key", r#"AQVN{A36}"#, r#"AQVN{A4}"#),
    ("secret.databricks", r#"dapi{h32}"#, r#"dapi{h4}"#),
    ("secret.github-token", r#"ghp_{A30}{crc}"#, r#"ghp_{A20}"#),
    (
        "secret.github-fine-grained-token",
        r#"github_pat_{A22}_{A59}"#,
        r#"github_pat_{A22}_{A4}"#,
    ),
    ("secret.gitlab-token", r#"glpat-{A20}"#, r#"glpat-{A4}"#),
    ("secret.bitbucket-token", r#"ATBB{A32}"#, r#"ATBB{A4}"#),
    (
        "secret.atlassian-api-token",
        r#"ATATT3{A180}"#,
        r#"ATATT3{A4}"#,
    ),
    ("secret.npm-token", r#"npm_{A30}{crc}"#, r#"npm_{A20}"#),
    (
        "secret.npmrc-auth",
        r#"//registry.example/:_authToken=|{h36}a1"#,
        r#"//registry.example/:_authToken=${NPM_TOKEN}"#,
    ),
    (
        "secret.pypi-token",
        r#"pypi-AgEIcHlwaS5vcmcC{A120}"#,
        r#"pypi-AgEIcHlwaS5vcmcC{A4}"#,
    ),
    (
        "secret.rubygems-key",
        r#"rubygems_{h48}"#,
        r#"rubygems_{h4}"#,
    ),
    ("secret.crates-io-token", r#"cio{A29}a1Z"#, r#"cio{A4}a1Z"#),
    (
        "secret.docker-token",
        r#"dckr_pat_{A27}"#,
        r#"dckr_pat_{A4}"#,
    ),
    ("secret.nuget-key", r#"oy2{a43}"#, r#"oy2{a4}"#),
    (
        "secret.clojars-token",
        r#"CLOJARS_{a60}"#,
        r#"CLOJARS_{a4}"#,
    ),
    ("secret.jfrog-api-key", r#"AKCp{A69}"#, r#"AKCp{A4}"#),
    (
        "secret.jfrog-reference-token",
        r#"cmVmdGtu{A56}"#,
        r#"cmVmdGtu{A4}"#,
    ),
    (
        "secret.terraform-cloud-token",
        r#"{A14}.atlasv1.{A67}"#,
        r#"{A14}.atlasv1.{A4}"#,
    ),
    ("secret.pulumi-token", r#"pul-{h40}"#, r#"pul-{h4}"#),
    ("secret.sonarqube-token", r#"sqp_{h40}"#, r#"sqp_{h4}"#),
    (
        "secret.snyk-token",
        r#"snyk_uat.{h8}.{A60}"#,
        r#"snyk_uat.{h8}.{A4}"#,
    ),
    ("secret.sourcegraph-token", r#"sgp_{h40}"#, r#"sgp_{h4}"#),
    ("secret.buildkite-token", r#"bkua_{h40}"#, r#"bkua_{h4}"#),
    (
        "secret.circleci-token",
        r#"CCIPAT_{A22}_{h40}"#,
        r#"CCIPAT_{A22}_{h4}"#,
    ),
    ("secret.infracost-key", r#"ico-{A32}"#, r#"ico-{A4}"#),
    (
        "secret.postman-key",
        r#"PMAK-{h24}-{h34}"#,
        r#"PMAK-{h24}-{h4}"#,
    ),
    ("secret.readme-key", r#"rdme_{a70}"#, r#"rdme_{a4}"#),
    (
        "secret.openai-key",
        r#"sk-proj-{A60}a1Z"#,
        r#"sk-proj-{A4}a1Z"#,
    ),
    (
        "secret.anthropic-key",
        r#"sk-ant-api03-{A93}AA"#,
        r#"sk-ant-api03-{A9}"#,
    ),
    (
        "secret.openrouter-key",
        r#"sk-or-v1-{h64}"#,
        r#"sk-or-v1-{h4}"#,
    ),
    (
        "secret.langfuse-key",
        r#"sk-lf-{u}"#,
        r#"sk-lf-{h8}-{h4}-{h2}"#,
    ),
    ("secret.deepseek-key", r#"sk-{h32}"#, r#"sk-{h4}"#),
    ("secret.huggingface-token", r#"hf_{A34}"#, r#"hf_{A4}"#),
    ("secret.groq-key", r#"gsk_{A52}"#, r#"gsk_{A4}"#),
    ("secret.xai-key", r#"xai-{A80}"#, r#"xai-{A4}"#),
    ("secret.perplexity-key", r#"pplx-{A48}"#, r#"pplx-{A4}"#),
    ("secret.replicate-token", r#"r8_{A37}"#, r#"r8_{A4}"#),
    ("secret.nvidia-key", r#"nvapi-{A64}"#, r#"nvapi-{A4}"#),
    (
        "secret.pinecone-key",
        r#"pcsk_{A5}_{A62}"#,
        r#"pcsk_{A5}_{A4}"#,
    ),
    (
        "secret.langsmith-key",
        r#"lsv2_pt_{h32}_{h10}"#,
        r#"lsv2_pt_{h32}_{h4}"#,
    ),
    ("secret.cerebras-key", r#"csk-{a48}"#, r#"csk-{a4}"#),
    ("secret.fireworks-key", r#"fw_{A20}a1Z"#, r#"fw_{A4}a1Z"#),
    ("secret.jina-key", r#"jina_{A60}"#, r#"jina_{A4}"#),
    ("secret.tavily-key", r#"tvly-dev-{A32}"#, r#"tvly-dev-{A4}"#),
    ("secret.elevenlabs-key", r#"sk_{h48}"#, r#"sk_{h4}"#),
    ("secret.firecrawl-key", r#"fc-{h32}"#, r#"fc-{h4}"#),
    ("secret.e2b-key", r#"e2b_{h40}"#, r#"e2b_{h4}"#),
    (
        "secret.slack-bot-token",
        r#"xoxb-{d12}-{d12}-{A24}"#,
        r#"xoxb-{d4}-{A6}"#,
    ),
    (
        "secret.slack-user-token",
        r#"xoxp-{d12}-{d12}-{d12}-{h32}"#,
        r#"xoxp-{d6}-{h6}"#,
    ),
    (
        "secret.slack-app-token",
        r#"xapp-1-A{U10}-{d13}-{h64}"#,
        r#"xapp-1-A{U10}-{d13}-{h4}"#,
    ),
    (
        "secret.slack-webhook",
        r#"https://|hooks.slack.com/services/T{U8}/B{U10}/{A24}"#,
        r#"https://|hooks.slack.com/services/T{U8}/B{U10}/{A4}"#,
    ),
    (
        "secret.discord-webhook",
        r#"https://|discord.com/api/webhooks/{d18}/{A68}"#,
        r#"https://|discord.com/api/webhooks/{d18}/{A4}"#,
    ),
    (
        "secret.teams-webhook",
        r#"https://acme|.webhook.office.com/webhookb2/{u}@{u}/IncomingWebhook/{h32}/{u}"#,
        r#"https://acme|.webhook.office.com/webhookb2/{u}@{u}/IncomingWebhook/{h32}/{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.zapier-webhook",
        r#"https://|hooks.zapier.com/hooks/catch/{d7}/{a7}"#,
        r#"https://|hooks.zapier.com/hooks/catch/{d7}/{a4}"#,
    ),
    (
        "secret.telegram-bot-token",
        r#"{d9}:AA{A30}a1Z"#,
        r#"{d9}:AA{A4}a1Z"#,
    ),
    ("secret.twilio-api-key", r#"SK{h32}"#, r#"SK{h4}"#),
    (
        "secret.twilio-auth-token",
        r#"TWILIO_AUTH_TOKEN=|{h32}"#,
        r#"TWILIO_AUTH_TOKEN=|{h4}"#,
    ),
    (
        "secret.sendgrid-key",
        r#"SG.{A22}.{A43}"#,
        r#"SG.{A22}.{A4}"#,
    ),
    ("secret.mailgun-key", r#"key-{h32}"#, r#"key-{h4}"#),
    ("secret.mailchimp-key", r#"{h32}-us12"#, r#"{h20}-us12"#),
    (
        "secret.brevo-key",
        r#"xkeysib-{h64}-{A16}"#,
        r#"xkeysib-{h64}-{A4}"#,
    ),
    (
        "secret.resend-key",
        r#"re_{A8}_{A21}a1Z"#,
        r#"re_{A8}_{A4}a1Z"#,
    ),
    ("secret.intercom-token", r#"dG9rOg{A54}="#, r#"dG9rOg{A4}="#),
    ("secret.facebook-token", r#"EAA{A150}"#, r#"EAA{A4}"#),
    (
        "secret.twitter-bearer-token",
        r#"AAAAAAAAAAAAAAAAAAAAA{A80}"#,
        r#"AAAAAAAAAAAAAAAAAAAAA{A4}"#,
    ),
    (
        "secret.linkedin-client-secret",
        r#"WPL_AP1.{A16}.{A8}"#,
        r#"WPL_AP1.{A16}.{A4}"#,
    ),
    ("secret.twitch-token", r#"oauth:{a30}"#, r#"oauth:{a4}"#),
    ("secret.stripe-key", r#"sk_live_{A24}"#, r#"sk_live_{A4}"#),
    (
        "secret.stripe-webhook-secret",
        r#"whsec_{A32}"#,
        r#"whsec_{A4}"#,
    ),
    (
        "secret.square-token",
        r#"sq0csp-{A40}a1Z"#,
        r#"sq0csp-{A4}a1Z"#,
    ),
    (
        "secret.braintree-token",
        r#"access_token$production${a16}${h32}"#,
        r#"access_token$production${a16}${h4}"#,
    ),
    (
        "secret.plaid-token",
        r#"access-sandbox-{u}"#,
        r#"access-sandbox-{h8}-{h4}-{h2}"#,
    ),
    ("secret.shopify-token", r#"shpat_{h32}"#, r#"shpat_{h4}"#),
    (
        "secret.flutterwave-key",
        r#"FLWSECK_TEST-{h32}-X"#,
        r#"FLWSECK_TEST-{h8}"#,
    ),
    ("secret.easypost-key", r#"EZAK{A54}"#, r#"EZAK{A4}"#),
    (
        "secret.shippo-token",
        r#"shippo_live_{h40}"#,
        r#"shippo_live_{h4}"#,
    ),
    (
        "secret.duffel-token",
        r#"duffel_test_{A43}"#,
        r#"duffel_test_{A4}"#,
    ),
    (
        "secret.razorpay-key",
        r#"rzp_live_{A14}"#,
        r#"rzp_live_{A4}"#,
    ),
    (
        "secret.digitalocean-token",
        r#"dop_v1_{h64}"#,
        r#"dop_v1_{h4}"#,
    ),
    ("secret.heroku-key", r#"HRKU-{u}"#, r#"HRKU-{h8}-{h4}-{h2}"#),
    (
        "secret.fly-token",
        r#"FlyV1 |fm2_{b120}"#,
        r#"FlyV1 |fm2_{b4}"#,
    ),
    ("secret.vercel-token", r#"vcp_{A40}"#, r#"vcp_{A4}"#),
    ("secret.netlify-token", r#"nfp_{A36}"#, r#"nfp_{A4}"#),
    (
        "secret.cloudflare-origin-ca-key",
        r#"v1.0-{h24}-{h146}"#,
        r#"v1.0-{h24}-{h4}"#,
    ),
    ("secret.cloudflare-token", r#"cfut_{A48}"#, r#"cfut_{A4}"#),
    ("secret.supabase-token", r#"sbp_{h40}"#, r#"sbp_{h4}"#),
    (
        "secret.supabase-service-key",
        concat!(
            r#"eyJhbGciOi"#,
            r#"JIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6ImFiY2RlZmdoIiwicm9sZSI6InNlcnZpY2Vfcm9sZSJ9.{A43}"#
        ),
        r#"eyJub3RhanNvbmRvY3VtZW50.{A40}.{A40}"#,
    ),
    (
        "secret.planetscale-token",
        r#"pscale_tkn_{A43}"#,
        r#"pscale_tkn_{A4}"#,
    ),
    ("secret.neon-password", r#"npg_{A14}"#, r#"npg_{A4}"#),
    ("secret.aiven-password", r#"AVNS_{A19}"#, r#"AVNS_{A4}"#),
    (
        "secret.mongodb-atlas-secret",
        r#"mdb_sa_sk_{A40}"#,
        r#"mdb_sa_sk_{A4}"#,
    ),
    ("secret.vault-token", r#"hvs.{A92}"#, r#"hvs.{A10}"#),
    ("secret.doppler-token", r#"dp.pt.{A43}"#, r#"dp.pt.{A4}"#),
    (
        "secret.tailscale-key",
        r#"tskey-auth-{A17}-{A32}"#,
        r#"tskey-auth-{A4}"#,
    ),
    ("secret.scalingo-token", r#"tk-us-{A48}"#, r#"tk-us-{A4}"#),
    ("secret.prefect-key", r#"pnu_{A36}"#, r#"pnu_{A4}"#),
    (
        "secret.cloudinary-url",
        r#"cloudinary://{d15}:|{A27}@demo"#,
        r#"cloudinary://{d15}:|{A4}@demo"#,
    ),
    (
        "secret.onepassword-token",
        r#"ops_eyJ{A300}"#,
        r#"ops_eyJ{A4}"#,
    ),
    (
        "secret.onepassword-secret-key",
        r#"A3-{U6}-{U11}-{U5}-{U5}-{U5}"#,
        r#"A3-{U6}-{U11}-{U5}-{U5}-{U4}"#,
    ),
    (
        "secret.grafana-token",
        r#"glsa_{A32}_{h8}"#,
        r#"glsa_{A32}_{h4}"#,
    ),
    (
        "secret.grafana-api-key",
        r#"eyJrIjoi{A80}"#,
        r#"eyJrIjoi{A4}"#,
    ),
    ("secret.new-relic-key", r#"NRAK-{U27}"#, r#"NRAK-{U4}"#),
    (
        "secret.sentry-token",
        r#"sntrys_eyJ{A120}"#,
        r#"sntrys_eyJ{A4}"#,
    ),
    (
        "secret.sentry-dsn",
        r#"https://{h32}@o{d6}.ingest.sentry.io/{d7}"#,
        r#"https://{h20}@o{d6}.ingest.sentry.io/{d7}"#,
    ),
    ("secret.honeycomb-key", r#"hcaik_{a58}"#, r#"hcaik_{a4}"#),
    (
        "secret.dynatrace-token",
        r#"dt0c01.{U24}.{U64}"#,
        r#"dt0c01.{U24}.{U4}"#,
    ),
    ("secret.notion-token", r#"ntn_{A43}a1Z"#, r#"ntn_{A4}a1Z"#),
    ("secret.linear-key", r#"lin_api_{A40}"#, r#"lin_api_{A4}"#),
    ("secret.figma-token", r#"figd_{A40}"#, r#"figd_{A4}"#),
    (
        "secret.airtable-key",
        r#"AIRTABLE_API_KEY=|key{A12}a1"#,
        r#"AIRTABLE_API_KEY=|key{A4}a1"#,
    ),
    (
        "secret.asana-token",
        r#"1/1{d15}:{h32}"#,
        r#"1/1{d10}:{h32}"#,
    ),
    ("secret.dropbox-token", r#"sl.{A135}"#, r#"sl.{A4}"#),
    ("secret.contentful-token", r#"CFPAT-{A43}"#, r#"CFPAT-{A4}"#),
    (
        "secret.hubspot-token",
        r#"pat-na1-{u}"#,
        r#"pat-na1-{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.mapbox-token",
        r#"sk.eyJ{A80}.{A22}"#,
        r#"sk.eyJ{A80}.{A4}"#,
    ),
    (
        "secret.launchdarkly-key",
        r#"sdk-{u}"#,
        r#"sdk-{h8}-{h4}-{h2}"#,
    ),
    ("secret.typeform-token", r#"tfp_{A59}"#, r#"tfp_{A4}"#),
    ("secret.adafruit-key", r#"aio_{A25}a1Z"#, r#"aio_{A4}a1Z"#),
    ("secret.adobe-client-secret", r#"p8e-{A32}"#, r#"p8e-{A4}"#),
    (
        "secret.trello-token",
        r#"ATTA{h64}{H8}"#,
        r#"ATTA{h64}{H4}"#,
    ),
    (
        "secret.salesforce-session",
        r#"00D{A12}!{A96}"#,
        r#"00D{A12}!{A4}"#,
    ),
    (
        "secret.okta-token",
        r#"Authorization: SSWS |00{A40}"#,
        r#"Authorization: SSWS |00{A4}"#,
    ),
    (
        "secret.zoho-token",
        r#"1000.{h32}.{h32}"#,
        r#"1000.{h32}.{h4}"#,
    ),
    (
        "secret.google-fcm-key",
        r#"{A11}:APA91b{A134}"#,
        r#"{A11}:APA91b{A20}"#,
    ),
    (
        "secret.rsa-private-key",
        concat!(
            r#"-----BEGIN RSA PRIV"#,
            r#"ATE KEY-----\n{b64}\n{b64}\n-----END RSA PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN RSA PUBLIC KEY-----\n{b64}\n{b64}\n-----END RSA PUBLIC KEY-----"#,
    ),
    (
        "secret.ec-private-key",
        concat!(
            r#"-----BEGIN EC PRIV"#,
            r#"ATE KEY-----\n{b64}\n{b64}\n-----END EC PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN EC PUBLIC KEY-----\n{b64}\n{b64}\n-----END EC PUBLIC KEY-----"#,
    ),
    (
        "secret.dsa-private-key",
        concat!(
            r#"-----BEGIN DSA PRIV"#,
            r#"ATE KEY-----\n{b64}\n{b64}\n-----END DSA PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN DSA PUBLIC KEY-----\n{b64}\n{b64}\n-----END DSA PUBLIC KEY-----"#,
    ),
    (
        "secret.openssh-private-key",
        concat!(
            r#"-----BEGIN OPENSSH PRIV"#,
            r#"ATE KEY-----\n{b70}\n{b70}\n-----END OPENSSH PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN OPENSSH PUBLIC KEY-----\n{b70}\n{b70}\n-----END OPENSSH PUBLIC KEY-----"#,
    ),
    (
        "secret.pkcs8-private-key",
        concat!(
            r#"-----BEGIN PRIV"#,
            r#"ATE KEY-----\n{b64}\n{b64}\n-----END PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN PUBLIC KEY-----\n{b64}\n{b64}\n-----END PUBLIC KEY-----"#,
    ),
    (
        "secret.encrypted-private-key",
        concat!(
            r#"-----BEGIN ENCRYPTED PRIV"#,
            r#"ATE KEY-----\n{b64}\n{b64}\n-----END ENCRYPTED PRIV"#,
            r#"ATE KEY-----"#
        ),
        r#"-----BEGIN ENCRYPTED PUBLIC KEY-----\n{b64}\n{b64}\n-----END ENCRYPTED PUBLIC KEY-----"#,
    ),
    (
        "secret.ssh2-private-key",
        concat!(
            r#"---- BEGIN SSH2 ENCRYPTED PRIV"#,
            r#"ATE KEY ----\n{b64}\n{b64}\n---- END SSH2 ENCRYPTED PRIV"#,
            r#"ATE KEY ----"#
        ),
        r#"---- BEGIN SSH2 ENCRYPTED PUBLIC KEY ----\n{b64}\n{b64}\n---- END SSH2 ENCRYPTED PUBLIC KEY ----"#,
    ),
    (
        "secret.pgp-private-key",
        concat!(
            r#"-----BEGIN PGP PRIV"#,
            r#"ATE KEY BLOCK-----\n\n{b64}\n{b64}\n=abcd\n-----END PGP PRIV"#,
            r#"ATE KEY BLOCK-----"#
        ),
        r#"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{b64}\n{b64}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----"#,
    ),
    (
        "secret.putty-private-key",
        r#"Private-Lines: 2\n{b64}\n{b64}"#,
        r#"Private-Lines: 2"#,
    ),
    (
        "secret.age-secret-key",
        r#"AGE-SECRET-KEY-1{k58}"#,
        r#"AGE-SECRET-KEY-1{k4}"#,
    ),
    (
        "secret.wireguard-key",
        r#"PrivateKey = |{A40}a1A="#,
        r#"PrivateKey = |{A4}a1A="#,
    ),
    (
        "secret.jwt",
        concat!(
            r#"eyJhbGciOi"#,
            r#"JIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjkwIiwibmFtZSI6IkJvYiJ9.{A43}"#
        ),
        r#"eyJub3RhanNvbmRvY3VtZW50.{A40}.{A40}"#,
    ),
    (
        "secret.kubernetes-token",
        concat!(
            r#"eyJhbGciOi"#,
            r#"JIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50Iiwic3ViIjoic3lzdGVtOnNlcnZpY2VhY2NvdW50Ong6eSJ9.{A43}"#
        ),
        r#"eyJub3RhanNvbmRvY3VtZW50.{A40}.{A40}"#,
    ),
    (
        "secret.kubeconfig-client-key",
        r#"client-key-data: |LS0tLS1CRUdJT{A300}"#,
        r#"client-certificate-data: LS0tLS1CRUdJT{A300}"#,
    ),
    (
        "secret.kubeadm-token",
        r#"kubeadm join 10.0.0.1:6443 --token |{a6}.{a16}"#,
        r#"kubeadm join 10.0.0.1:6443 --token |{a6}.{a4}"#,
    ),
    (
        "secret.base64-private-key",
        r#"LS0tLS1CRUdJTiBSU0EgUFJJVkFURS{A300}"#,
        r#"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS{A300}"#,
    ),
    ("secret.bcrypt-hash", r#"$2b$12${A53}"#, r#"$2b$12${A4}"#),
    ("secret.crypt-hash", r#"$6${A16}${A86}"#, r#"$6${A16}${A4}"#),
    (
        "secret.argon2-hash",
        r#"$argon2id$v=19$m=65536,t=3,p=4${A22}${A43}"#,
        r#"$argon2id$v=19$m=65536,t=3,p=4${A22}${A4}"#,
    ),
    (
        "secret.htpasswd-sha1",
        r#"bob:|{SHA}{A27}="#,
        r#"bob:{SHA}short"#,
    ),
    (
        "secret.django-password-hash",
        r#"pbkdf2_sha256$260000${A22}${A43}="#,
        r#"pbkdf2_sha256$260000${A22}${A4}="#,
    ),
    (
        "secret.bitcoin-extended-key",
        r#"xprv9{5106}"#,
        r#"xprv9{54}"#,
    ),
    (
        "secret.basic-header",
        r#"Authorization: Basic |YWxpY2U6a1g5bVAydkxxN1J0"#,
        r#"Basic understanding of Authorization: Basic realm"#,
    ),
    (
        "secret.bearer-header",
        r#"Authorization: Bearer |{A40}"#,
        r#"Authorization: Bearer your-bearer-token-goes-here"#,
    ),
    (
        "secret.token-header",
        r#"X-Api-Key: |{A40}"#,
        r#"X-Api-Key: your-api-key-goes-here"#,
    ),
    (
        "secret.database-url",
        r#"postgres://svc:|{A16}@db.example.com:5432/app"#,
        r#"postgres://svc@db.example.com:5432/app"#,
    ),
    (
        "secret.url-password",
        r#"https://ci:|{A16}@nexus.example.com/npm"#,
        r#"https://nexus.example.com:8443/npm@latest"#,
    ),
    (
        "secret.url-token",
        r#"https://|{A40}@git.example.com/x"#,
        r#"https://documentation-pages@git.example.com/x"#,
    ),
    (
        "secret.jdbc-password",
        r#"jdbc:sqlserver://db.example.com;user=sa;password=|{A16}"#,
        r#"jdbc:sqlserver://db.example.com;user=sa;password=${PW}"#,
    ),
    (
        "secret.connection-string",
        r#"Server=db;Database=x;User Id=sa;Password=|{A16};"#,
        r#"Server=db;Database=x;User Id=sa;Password=<password>;"#,
    ),
    (
        "secret.netrc",
        r#"machine api.example.com\nlogin bob\npassword |{A16}"#,
        r#"machine api.example.com login bob password ${PW}"#,
    ),
    (
        "secret.pgpass",
        r#"db.example.com:5432:app:svc:|{A16}"#,
        r#"db.example.com:5432:app:svc"#,
    ),
    (
        "secret.docker-auth",
        r#"{"auths": {"r": {"auth": "|YWxpY2U6a1g5bVAydkxxN1J0"}}}"#,
        r#"{"auths": {"r": {"auth": "none needed"}}}"#,
    ),
    (
        "secret.curl-user",
        r#"curl -u bob:|{A16} https://example.com"#,
        r#"curl -u bob https://example.com"#,
    ),
    (
        "secret.sshpass",
        r#"sshpass -p |{A16} ssh host"#,
        r#"sshpass -p $PW ssh host"#,
    ),
    (
        "secret.mysql-password",
        r#"mysql -u root -p|{A16} app"#,
        r#"mysql -u root -p app"#,
    ),
    (
        "secret.totp",
        r#"otpauth://totp/Acme:bob?secret=|{232}&issuer=Acme"#,
        r#"otpauth://totp/Acme:bob?secret=|{24}&issuer=Acme"#,
    ),
    (
        "secret.datadog-key",
        r#"DD_API_KEY=|{h32}"#,
        r#"DD_API_KEY=|{h4}"#,
    ),
    (
        "secret.heroku-api-key",
        r#"HEROKU_API_KEY=|{u}"#,
        r#"HEROKU_API_KEY=|{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.okta-api-token",
        r#"okta_api_token: |00{A40}"#,
        r#"okta_api_token: |00{A4}"#,
    ),
    (
        "secret.cohere-key",
        r#"COHERE_API_KEY=|{A37}a1Z"#,
        r#"COHERE_API_KEY=|{A4}a1Z"#,
    ),
    (
        "secret.mistral-key",
        r#"MISTRAL_API_KEY=|{A29}a1Z"#,
        r#"MISTRAL_API_KEY=|{A4}a1Z"#,
    ),
    (
        "secret.together-key",
        r#"TOGETHER_API_KEY=|{h64}"#,
        r#"TOGETHER_API_KEY=|{h4}"#,
    ),
    (
        "secret.algolia-key",
        r#"ALGOLIA_ADMIN_KEY=|{h32}"#,
        r#"ALGOLIA_ADMIN_KEY=|{h4}"#,
    ),
    (
        "secret.cloudflare-api-token",
        r#"CLOUDFLARE_API_TOKEN=|{A40}"#,
        r#"CLOUDFLARE_API_TOKEN=|{A4}"#,
    ),
    (
        "secret.confluent-secret",
        r#"CONFLUENT_API_SECRET=|{b64}"#,
        r#"CONFLUENT_API_SECRET=|{b4}"#,
    ),
    (
        "secret.pagerduty-key",
        r#"PAGERDUTY_API_KEY=|{A20}"#,
        r#"PAGERDUTY_API_KEY=|{A4}"#,
    ),
    (
        "secret.postmark-token",
        r#"POSTMARK_SERVER_TOKEN=|{u}"#,
        r#"POSTMARK_SERVER_TOKEN=|{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.auth0-secret",
        r#"AUTH0_CLIENT_SECRET=|{A64}"#,
        r#"AUTH0_CLIENT_SECRET=|{A4}"#,
    ),
    (
        "secret.azure-ad-secret",
        r#"AZURE_CLIENT_KEY=|{A37}"#,
        r#"AZURE_CLIENT_KEY={A12}"#,
    ),
    (
        "secret.netlify-api-token",
        r#"NETLIFY_AUTH_TOKEN=|{A40}a1Z"#,
        r#"NETLIFY_AUTH_TOKEN=|{A4}a1Z"#,
    ),
    (
        "secret.vercel-api-token",
        r#"VERCEL_TOKEN=|{A21}a1Z"#,
        r#"VERCEL_TOKEN=|{A4}a1Z"#,
    ),
    (
        "secret.twitch-client-secret",
        r#"TWITCH_CLIENT_SECRET=|{a30}"#,
        r#"TWITCH_CLIENT_SECRET=|{a4}"#,
    ),
    (
        "secret.box-secret",
        r#"BOX_CLIENT_SECRET=|{A32}"#,
        r#"BOX_CLIENT_SECRET=|{A4}"#,
    ),
    (
        "secret.codecov-token",
        r#"CODECOV_TOKEN=|{u}"#,
        r#"CODECOV_TOKEN=|{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.honeycomb-api-key",
        r#"HONEYCOMB_API_KEY=|{A22}"#,
        r#"HONEYCOMB_API_KEY=|{A4}"#,
    ),
    (
        "secret.mailgun-api-key",
        r#"MAILGUN_API_KEY=|{h32}-{h8}-{h8}"#,
        r#"MAILGUN_API_KEY={h12}"#,
    ),
    (
        "secret.mongodb-atlas-key",
        r#"MONGODB_ATLAS_PRIVATE_KEY=|{u}"#,
        r#"MONGODB_ATLAS_PRIVATE_KEY=|{h8}-{h4}-{h2}"#,
    ),
    (
        "secret.twitter-secret",
        r#"TWITTER_API_SECRET=|{A50}"#,
        r#"TWITTER_API_SECRET=|{A4}"#,
    ),
    (
        "secret.facebook-app-secret",
        r#"FACEBOOK_APP_SECRET=|{h32}"#,
        r#"FACEBOOK_APP_SECRET=|{h4}"#,
    ),
    (
        "secret.contentful-api-key",
        r#"CONTENTFUL_ACCESS_TOKEN=|{A43}"#,
        r#"CONTENTFUL_ACCESS_TOKEN=|{A4}"#,
    ),
    (
        "secret.plaid-secret",
        r#"PLAID_SECRET=|{a30}"#,
        r#"PLAID_SECRET=|{a4}"#,
    ),
    (
        "secret.vault-legacy-token",
        r#"VAULT_TOKEN=|s.{A24}"#,
        r#"VAULT_TOKEN=|s.{A4}"#,
    ),
    (
        "secret.braintree-key",
        r#"BRAINTREE_PRIVATE_KEY=|{h32}"#,
        r#"BRAINTREE_PRIVATE_KEY=|{h4}"#,
    ),
    (
        "secret.paypal-secret",
        r#"PAYPAL_CLIENT_SECRET=|E{A79}"#,
        r#"PAYPAL_CLIENT_SECRET=|E{A4}"#,
    ),
    (
        "secret.django-secret-key",
        r#"SECRET_KEY = '|{A24}#{A25}'"#,
        r#"SECRET_KEY = os.environ['DJANGO_SECRET_KEY_OF_THIS_APPLICATION']"#,
    ),
    (
        "secret.django-insecure-key",
        r#"django-insecure-{a50}"#,
        r#"django-insecure-{a4}"#,
    ),
    (
        "secret.rails-secret",
        r#"secret_key_base: |{h128}"#,
        r#"secret_key_base: |{h4}"#,
    ),
    (
        "secret.laravel-app-key",
        r#"APP_KEY=|base64:{A43}="#,
        r#"APP_KEY=|base64:{A4}="#,
    ),
    (
        "secret.totp-secret",
        r#"TOTP_SECRET=|{230}A2"#,
        r#"TOTP_SECRET=|{24}A2"#,
    ),
    (
        "secret.discord-bot-token",
        r#"MTA4NzY1NDMyMTA5ODc2NTQz.G{A5}.{A38}"#,
        r#"MTA4NzY1NDMyMTA5ODc2NTQz.G{A5}.{A4}"#,
    ),
    (
        "secret.airtable-token",
        r#"pat{A14}.{h64}"#,
        r#"pat{A14}.{h4}"#,
    ),
    (
        "secret.vault-service-token",
        r#"s.{A20}a1Zq"#,
        r#"s.{A4}a1Zq"#,
    ),
    (
        "secret.password",
        r#"password = '|{A12}#1aZ'"#,
        r#"password = 'required'"#,
    ),
    (
        "secret.generic-secret",
        r#"client_secret = '|{A32}'"#,
        r#"client_secret = 'my-secret-name'"#,
    ),
    (
        "secret.generic-api-key",
        r#"my_api_key = '|{A32}'"#,
        r#"my_api_key = get_api_key_from_vault(name)"#,
    ),
    (
        "secret.generic-token",
        r#"access_token = '|{A32}'"#,
        r#"access_token = 'request.access_token'"#,
    ),
];
