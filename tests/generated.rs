//! The generated files are what the op table says; `make generate` writes them.

use std::path::Path;

fn check(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("RNP_GENERATE").is_some() {
        std::fs::write(&path, wanted).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is stale: run `make generate`");
}

#[test]
fn the_stub_is_fresh() {
    check("python/rnp/_core.pyi", &rnp::stubs::stubs());
}

#[test]
fn the_op_page_is_fresh() {
    check("design/ops.md", &rnp::stubs::op_page());
}
