//! Model providers and the services around them.

use bartizan_core::Severity;

use super::{SecretFormat, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.openai-key",
        "OPENAI_KEY",
        "an OpenAI API key",
        &["sk-"],
        r"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,200}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})",
    )
    .check(proof::three_classes)
    .severity(Severity::Critical),
    token(
        "secret.anthropic-key",
        "ANTHROPIC_KEY",
        "an Anthropic API key",
        &["sk-ant-"],
        r"sk-ant-[a-z]{2,10}\d{0,2}-[A-Za-z0-9_-]{32,120}",
    )
    .severity(Severity::Critical),
    token(
        "secret.openrouter-key",
        "OPENROUTER_KEY",
        "an OpenRouter API key",
        &["sk-or-v1-"],
        r"sk-or-v1-[a-f0-9]{64}",
    ),
    token(
        "secret.langfuse-key",
        "LANGFUSE_KEY",
        "a Langfuse secret key",
        &["sk-lf-"],
        r"sk-lf-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    ),
    token(
        "secret.deepseek-key",
        "DEEPSEEK_KEY",
        "a DeepSeek API key",
        &["sk-"],
        r"sk-[a-f0-9]{32}",
    ),
    token(
        "secret.huggingface-token",
        "HUGGINGFACE_TOKEN",
        "a Hugging Face token",
        &["hf_", "api_org_"],
        r"(?:hf_|api_org_)[A-Za-z0-9]{34,40}",
    )
    .entropy(3.4),
    token(
        "secret.groq-key",
        "GROQ_KEY",
        "a Groq API key",
        &["gsk_"],
        r"gsk_[A-Za-z0-9]{48,56}",
    ),
    token(
        "secret.xai-key",
        "XAI_KEY",
        "an xAI API key",
        &["xai-"],
        r"xai-[A-Za-z0-9_-]{70,90}",
    ),
    token(
        "secret.perplexity-key",
        "PERPLEXITY_KEY",
        "a Perplexity API key",
        &["pplx-"],
        r"pplx-[A-Za-z0-9]{40,60}",
    ),
    token(
        "secret.replicate-token",
        "REPLICATE_TOKEN",
        "a Replicate API token",
        &["r8_"],
        r"r8_[A-Za-z0-9]{37,40}",
    )
    .entropy(3.4),
    token(
        "secret.nvidia-key",
        "NVIDIA_KEY",
        "an NVIDIA API key",
        &["nvapi-"],
        r"nvapi-[A-Za-z0-9_-]{60,70}",
    ),
    token(
        "secret.pinecone-key",
        "PINECONE_KEY",
        "a Pinecone API key",
        &["pcsk_"],
        r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,70}",
    ),
    token(
        "secret.langsmith-key",
        "LANGSMITH_KEY",
        "a LangSmith API key",
        &["lsv2_pt_", "lsv2_sk_"],
        r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
    ),
    token(
        "secret.cerebras-key",
        "CEREBRAS_KEY",
        "a Cerebras API key",
        &["csk-"],
        r"csk-[a-z0-9]{48}",
    ),
    token(
        "secret.fireworks-key",
        "FIREWORKS_KEY",
        "a Fireworks API key",
        &["fw_"],
        r"fw_[A-Za-z0-9]{22,24}",
    )
    .check(proof::three_classes)
    .entropy(3.6)
    .confidence(0.8),
    token(
        "secret.jina-key",
        "JINA_KEY",
        "a Jina API key",
        &["jina_"],
        r"jina_[A-Za-z0-9_-]{60}",
    ),
    token(
        "secret.tavily-key",
        "TAVILY_KEY",
        "a Tavily API key",
        &["tvly-"],
        r"tvly-(?:(?:dev|prod)-)?[A-Za-z0-9]{32}",
    ),
    token(
        "secret.elevenlabs-key",
        "ELEVENLABS_KEY",
        "an ElevenLabs API key",
        &["sk_"],
        r"sk_[a-f0-9]{48}",
    ),
    token(
        "secret.firecrawl-key",
        "FIRECRAWL_KEY",
        "a Firecrawl API key",
        &["fc-"],
        r"fc-[a-f0-9]{32}",
    ),
    token(
        "secret.e2b-key",
        "E2B_KEY",
        "an E2B API key",
        &["e2b_"],
        r"e2b_[a-f0-9]{40}",
    ),
];
