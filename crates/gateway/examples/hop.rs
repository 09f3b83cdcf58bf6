//! The data plane and an upstream with nothing in between: what a gateway costs before it looks at
//! anything.
//!
//! `cargo run --release -p bartizan-gateway --example hop -- 127.0.0.1:9300 http://127.0.0.1:9100/v1`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example")]

use std::{collections::BTreeMap, env, sync::Arc};

use bartizan_core::{Coverage, Direction, Layer, Origin, Report};
use bartizan_gateway::{
    body::Body,
    endpoint::Endpoint,
    fault::Fault,
    serve::{BodyLimits, ListenAddresses, Server, ServerConfig, from_fn, read_body},
    upstream::{UpstreamConfig, UpstreamParts, UpstreamRequest, UpstreamSettings, Upstreams},
};
use bartizan_policy::{Decision, DecisionContext, Policy};
use http::{Request, Response};
use hyper::body::Incoming;

struct Hop {
    upstreams: Upstreams,
    policy: Policy,
    clean: Decision,
    limits: BodyLimits,
}

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:9300".into());
    let base = arguments
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:9100/v1".into());
    let upstream = UpstreamConfig {
        base_url: Some(base),
        allow_private: true,
        ..UpstreamConfig::default()
    };
    let settings = UpstreamSettings {
        upstreams: BTreeMap::from([("mock".to_owned(), upstream)]),
        routes: Vec::new(),
    };
    let upstreams = Upstreams::new(&settings, &BTreeMap::new(), &UpstreamParts::default()).unwrap();
    let config = ServerConfig {
        listen: ListenAddresses::One(listen.parse().unwrap()),
        ..ServerConfig::default()
    };
    let (policy, clean) = let_all_through();
    let hop = Arc::new(Hop {
        upstreams,
        policy,
        clean,
        limits: config.body_limits(),
    });
    let server = Server::bind(&config, true).await.unwrap();
    println!("listening at {listen}");
    let service = from_fn(move |request, _peer| {
        let hop = Arc::clone(&hop);
        async move {
            hop.forward(request).await.unwrap_or_else(|fault| {
                let mut response = Response::new(Body::from(fault.to_string()));
                *response.status_mut() = fault.kind.status();
                response
            })
        }
    });
    server.run(service).await;
}

/// A policy, and its decision about something in which nothing was found.
fn let_all_through() -> (Policy, Decision) {
    let policy = Policy::default();
    let coverage = Layer::ALL.into_iter().map(|layer| Coverage {
        check: "bench",
        layer,
        outcome: Ok(()),
    });
    let report = Report {
        findings: Vec::new(),
        coverage: coverage.collect(),
    };
    let today = "2026-11-21".parse().unwrap();
    let context = DecisionContext::new(Direction::Input, Origin::User, today);
    let clean = policy.decide(&report, &context);
    (policy, clean)
}

impl Hop {
    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Body>, Fault> {
        let (head, body) = request.into_parts();
        let endpoint = Endpoint::of(&head.method, head.uri.path()).unwrap();
        let body = read_body(body, &self.limits).await?;
        let request = UpstreamRequest {
            endpoint,
            body,
            model: None,
            model_name: "mock".into(),
            headers: head.headers,
        };
        let permit = self.policy.admit(request, &self.clean).unwrap();
        let route = self.upstreams.route("mock").unwrap();
        let answer = self.upstreams.ask(route, &permit).await?;
        let streamed = answer.is_event_stream();
        let headers = answer.headers;
        let body = if streamed {
            Body::stream(answer.body)
        } else {
            Body::from(answer.body.collect().await?)
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        Ok(response)
    }
}
