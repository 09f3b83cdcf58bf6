//! `bartizan netpol lint` over files.

use std::path::Path;

use crate::helpers::{Project, check};

/// A manifest that is shipped.
fn shipped(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes");
    root.join(name).display().to_string()
}

#[test]
fn what_is_shipped_is_in_order() {
    let gateway = shipped("gateway/network-policy.yaml");
    let external = shipped("external-models/network-policy.yaml");
    let model = shipped("model/network-policy.yaml");
    let run = check(&["netpol", "lint", &gateway, &external, &model], 0);
    assert!(
        run.stdout.contains("4 policies, 0 concerns"),
        "{}",
        run.all()
    );
    // The same leave as that of the gateway, for others.
    let run = check(
        &[
            "netpol",
            "lint",
            &gateway,
            &external,
            "--gateway",
            "app=other",
        ],
        1,
    );
    assert!(
        run.stdout.contains("`bartizan-external-models`"),
        "{}",
        run.all()
    );
    assert!(
        run.stdout.contains("others than the gateway"),
        "{}",
        run.all()
    );
    // Alone it leaves ingress open.
    let run = check(&["netpol", "lint", &external], 1);
    assert!(run.stdout.contains("policyTypes"), "{}", run.all());
}

/// An application that may ask models without the gateway.
const AROUND: &str = "\
apiVersion: v1
kind: List
items:
  - kind: ConfigMap
    metadata: { name: settings }
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: { name: shop, namespace: backend }
    spec:
      podSelector: { matchLabels: { app: shop } }
      policyTypes: [Ingress, Egress]
      egress:
        - to: [{ ipBlock: { cidr: 10.0.0.0/8 } }]
          ports: [{ port: 5432 }]
        - to: [{ ipBlock: { cidr: 104.18.0.0/16 } }]
          ports: [{ port: 443 }]
        - to:
            - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }
          ports: [{ protocol: UDP, port: 53 }]
";

#[test]
fn a_way_around_the_gateway_is_found() {
    let project = Project::new().with("shop.yaml", AROUND);
    let run = project.run(&["netpol", "lint", "shop.yaml", "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.all());
    let said: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let concerns = said.pointer("/concerns").unwrap().as_array().unwrap();
    assert_eq!(concerns.len(), 1, "{said}");
    let concern = concerns.first().unwrap();
    assert_eq!(concern.pointer("/kind").unwrap(), "way-around");
    assert_eq!(concern.pointer("/policy").unwrap(), "shop");
    assert_eq!(concern.pointer("/place").unwrap(), "spec.egress[1]");
    let piped = project.run_with(&["netpol", "lint", "-"], AROUND, &[]);
    assert_eq!(piped.code, 1, "{}", piped.all());
}

#[test]
fn what_cannot_be_read_is_not_in_order() {
    let project = Project::new()
        .with("none.yaml", "kind: Service\nmetadata: { name: a }\n")
        .with("broken.yaml", "kind: [\n")
        .with(
            "odd.yaml",
            "kind: NetworkPolicy\nmetadata: { name: odd }\nspec: { egress: [{ to: [{ ipBlock: { cidr: nowhere } }] }] }\n",
        );
    for (file, said) in [
        ("none.yaml", "no NetworkPolicy"),
        ("broken.yaml", "broken.yaml"),
        ("odd.yaml", "10.0.0.0/8"),
        ("missing.yaml", "missing.yaml"),
    ] {
        let run = project.run(&["netpol", "lint", file]);
        assert_eq!(run.code, 2, "{}", run.all());
        assert!(run.stderr.contains(said), "{said}: {}", run.all());
    }
}
