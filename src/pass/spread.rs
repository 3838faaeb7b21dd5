//! Elementwise ops move up into the parts of a joined array, whose loops then compute and store in one go.
//!
//! A join is a chain of updates over empty memory. What follows it would need all of it, and so a loop of its
//! own. `f(join(a, b))` is `join(f(a), f(b))` when the other operands of `f` are scalars, or inputs of the
//! join's shape, of which each part takes its own place; and when nobody else sees the join. Updates over
//! anything but empty memory stay: what they replace would be computed twice.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, Ix, Kind, Node, Operands};

/// A join and the ops that follow it.
struct Chain {
    empty: Ix,
    /// In the order they are done.
    updates: Vec<Ix>,
    ops: Vec<Ix>,
}

/// Moves ops up into the parts of joins.
pub(super) fn run(graph: &mut Graph) {
    let chains = chains(graph);
    if !chains.is_empty() {
        rebuild(graph, &chains);
    }
}

/// The joins with ops to move. The graph may not grow to more than about twice its size, so that many ops
/// after joins of many parts take linear time and space.
fn chains(graph: &Graph) -> Vec<Chain> {
    let mut room = graph.nodes.node_count();
    let mut chains = Vec::new();
    for at in graph.order() {
        let only = only_user(graph, at);
        let last = only.is_none_or(|user| !matches!(graph[user].kind, Kind::Update(_)));
        if !matches!(graph[at].kind, Kind::Update(_)) || !last {
            continue;
        }
        let Some((empty, updates)) = join(graph, at) else { continue };
        let (mut ops, mut top) = (Vec::new(), at);
        while let Some(user) = only_user(graph, top)
            && follows(graph, user, top)
            && room >= updates.len()
        {
            room -= updates.len();
            ops.push(user);
            top = user;
        }
        if !ops.is_empty() {
            chains.push(Chain { empty, updates, ops });
        }
    }
    chains
}

/// The node that alone uses a node, perhaps more than once.
fn only_user(graph: &Graph, at: Ix) -> Option<Ix> {
    let users = graph.users(at);
    let first = *users.first()?;
    (users.iter().all(|&user| user == first) && !graph.outputs.contains(&at)).then_some(first)
}

/// The empty memory below an update and all updates of it, if no others see what is between.
fn join(graph: &Graph, last: Ix) -> Option<(Ix, Vec<Ix>)> {
    let (mut updates, mut at) = (vec![last], last);
    loop {
        let operands = graph.operands(at);
        let base = operands[0];
        if only_user(graph, base).is_none() || operands[1] == base {
            return None;
        }
        match graph[base].kind {
            Kind::Empty => break,
            Kind::Update(_) => updates.push(base),
            _ => return None,
        }
        at = base;
    }
    updates.reverse();
    Some((graph.operands(at)[0], updates))
}

/// Whether a node is an elementwise op on a join that its parts can do on their own.
fn follows(graph: &Graph, at: Ix, join: Ix) -> bool {
    let node = &graph[at];
    let fits = |o: Ix| {
        let other = &graph[o];
        let input = matches!(graph[graph.below_views(o)].kind, Kind::Input(_));
        o == join || other.shape.is_empty() || (other.shape == node.shape && input)
    };
    let elementwise = matches!(node.kind, Kind::Map(_) | Kind::Cast);
    let whole = !node.shape.is_empty() && node.shape == graph[join].shape;
    elementwise && whole && graph.operands(at).into_iter().all(fits)
}

/// The graph again; a join with its parts' ops stands where the last op stood.
fn rebuild(graph: &mut Graph, chains: &[Chain]) {
    let moved: HashSet<Ix> =
        chains.iter().flat_map(|c| [&[c.empty][..], &c.updates, &c.ops].concat()).collect();
    let ends: HashMap<Ix, &Chain> =
        chains.iter().filter_map(|c| Some((*c.ops.last()?, c))).collect();
    let mut out =
        Graph { inputs: graph.inputs.clone(), calls: graph.calls.clone(), ..Graph::default() };
    let mut places: HashMap<Ix, Ix> = HashMap::new();
    for at in graph.order() {
        let place = match ends.get(&at) {
            Some(chain) => emit(graph, chain, &places, &mut out),
            None if moved.contains(&at) => continue,
            None => {
                let operands: Operands = graph.operands(at).iter().map(|o| places[o]).collect();
                add(&mut out, graph[at].clone(), &operands)
            }
        };
        places.insert(at, place);
    }
    out.outputs = graph.outputs.iter().map(|o| places[o]).collect();
    *graph = out;
}

/// Adds a join whose parts have gone through the ops.
fn emit(graph: &Graph, chain: &Chain, places: &HashMap<Ix, Ix>, out: &mut Graph) -> Ix {
    let dtype = chain.ops.last().map_or(graph[chain.empty].dtype, |&op| graph[op].dtype);
    let mut whole = add(out, Node { dtype, ..graph[chain.empty].clone() }, &[]);
    for &update in &chain.updates {
        let value = graph.operands(update)[1];
        let (kind, shape) = (&graph[update].kind, &graph[value].shape);
        let mut part = places[&value];
        let mut before = chain.updates[chain.updates.len() - 1];
        for &op in &chain.ops {
            let mut operands = Operands::new();
            for o in graph.operands(op) {
                operands.push(match kind {
                    _ if o == before => part,
                    Kind::Update(view) if !graph[o].shape.is_empty() => {
                        let kind = Kind::View(view.clone());
                        let node = Node { kind, shape: shape.clone(), ..graph[o].clone() };
                        add(out, node, &[places[&o]])
                    }
                    _ => places[&o],
                });
            }
            part = add(out, Node { shape: shape.clone(), ..graph[op].clone() }, &operands);
            before = op;
        }
        whole = add(out, Node { dtype, ..graph[update].clone() }, &[whole, part]);
    }
    whole
}

fn add(graph: &mut Graph, node: Node, operands: &[Ix]) -> Ix {
    let at = graph.nodes.add_node(node);
    graph.set_operands(at, operands);
    at
}
