//! The type stub is what the op table says; `make generate` writes it.

use std::path::Path;

#[test]
fn the_stub_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/rnp/_core.pyi");
    let wanted = rnp::stubs::stubs();
    if std::env::var_os("RNP_GENERATE").is_some() {
        std::fs::write(&path, &wanted).expect("the stub can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "python/rnp/_core.pyi is stale: run `make generate`");
}
