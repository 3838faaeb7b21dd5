//! Elementwise ops move up into the parts of a joined array, whose loops then compute and store in one go.
//!
//! A join is a chain of updates over empty memory. What follows it would need all of it, and so a loop of its
//! own. `f(join(a, b))` is `join(f(a), f(b))` when the other operands of `f` are scalars, or inputs of the
//! join's shape, of which each part takes its own place. So it is of several ops that lead to one, when nobody
//! else sees the join or what is between. Updates over anything but empty memory stay: what they replace would
//! be computed twice.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::graph::{Graph, Ix, Kind, Node, Operands};

/// A join and the ops that follow it.
struct Chain {
    empty: Ix,
    /// In the order they are done; the last one is the join.
    updates: Vec<Ix>,
    /// In the order they are done; the last one is what is left.
    ops: Vec<Ix>,
}

/// Where nodes of one graph are in another.
type Places = HashMap<Ix, Ix>;

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
        let inner =
            |user: Ix| matches!(graph[user].kind, Kind::Update(_)) && graph.operands(user)[0] == at;
        if !matches!(graph[at].kind, Kind::Update(_)) || graph.users(at).into_iter().any(inner) {
            continue;
        }
        let Some((empty, updates)) = join(graph, at) else { continue };
        let ops = followers(graph, at, room / updates.len());
        room -= ops.len() * updates.len();
        if !ops.is_empty() {
            chains.push(Chain { empty, updates, ops });
        }
    }
    chains
}

/// The empty memory below an update and all updates of it, if no others see what is between.
fn join(graph: &Graph, last: Ix) -> Option<(Ix, Vec<Ix>)> {
    let (mut updates, mut at) = (vec![last], last);
    loop {
        let base = graph.operands(at)[0];
        if graph.users(base).len() > 1 || graph.outputs.contains(&base) {
            return None;
        }
        match graph[base].kind {
            Kind::Empty => {
                updates.reverse();
                return Some((base, updates));
            }
            Kind::Update(_) => updates.push(base),
            _ => return None,
        }
        at = base;
    }
}

/// The most ops after a join, but no more than so many, of which only the last one is seen by others.
fn followers(graph: &Graph, join: Ix, most: usize) -> Vec<Ix> {
    let (mut ops, mut closed) = (Vec::new(), 0);
    let mut inside = HashSet::from([join]);
    let mut next = BTreeSet::from_iter(graph.users(join));
    // Uses of what is inside by what is not.
    let mut open = graph.users(join).len();
    let mut is_seen = graph.outputs.contains(&join);
    while let Some(at) = next.pop_first()
        && !is_seen
        && ops.len() < most
        && follows(graph, at, join, &inside)
    {
        let users = graph.users(at);
        open -= graph.operands(at).iter().filter(|&o| inside.contains(o)).count();
        ops.push(at);
        if open == 0 {
            closed = ops.len();
        }
        open += users.len();
        is_seen = graph.outputs.contains(&at);
        inside.insert(at);
        next.extend(users);
    }
    ops.truncate(closed);
    ops
}

/// Whether a node is an elementwise op that the parts of a join can do on their own.
fn follows(graph: &Graph, at: Ix, join: Ix, inside: &HashSet<Ix>) -> bool {
    let node = &graph[at];
    let fits = |o: Ix| {
        let other = &graph[o];
        let input = matches!(graph[graph.below_views(o)].kind, Kind::Input(_));
        inside.contains(&o) || other.shape.is_empty() || (other.shape == node.shape && input)
    };
    matches!(node.kind, Kind::Map(_) | Kind::Cast)
        && !node.shape.is_empty()
        && node.shape == graph[join].shape
        && graph.operands(at).into_iter().all(fits)
}

/// The graph again; a join with its parts' ops stands where the last op stood.
fn rebuild(graph: &mut Graph, chains: &[Chain]) {
    let moved: HashSet<Ix> =
        chains.iter().flat_map(|c| [&[c.empty][..], &c.updates, &c.ops].concat()).collect();
    let ends: HashMap<Ix, &Chain> =
        chains.iter().filter_map(|c| Some((*c.ops.last()?, c))).collect();
    let mut out =
        Graph { inputs: graph.inputs.clone(), calls: graph.calls.clone(), ..Graph::default() };
    let mut places = Places::new();
    for at in graph.order() {
        let place = match ends.get(&at) {
            Some(chain) => emit(graph, chain, &places, &mut out),
            None if moved.contains(&at) => continue,
            None => {
                let operands: Operands = graph.operands(at).iter().map(|o| places[o]).collect();
                out.add(graph[at].clone(), &operands)
            }
        };
        places.insert(at, place);
    }
    out.outputs = graph.outputs.iter().map(|o| places[o]).collect();
    *graph = out;
}

/// Adds a join whose parts have gone through the ops.
fn emit(
    graph: &Graph,
    Chain { empty, updates, ops }: &Chain,
    places: &Places,
    out: &mut Graph,
) -> Ix {
    let dtype = ops.last().map_or(graph[*empty].dtype, |&op| graph[op].dtype);
    let mut whole = out.add(Node { dtype, ..graph[*empty].clone() }, &[]);
    for &update in updates {
        let value = graph.operands(update)[1];
        let (kind, shape) = (&graph[update].kind, &graph[value].shape);
        let mut part = places[&value];
        let mut done: Places = updates.last().map(|&join| (join, part)).into_iter().collect();
        for &op in ops {
            let mut operands = Operands::new();
            for o in graph.operands(op) {
                operands.push(match (done.get(&o), kind) {
                    (Some(&part), _) => part,
                    (None, Kind::Update(view)) if !graph[o].shape.is_empty() => {
                        let kind = Kind::View(view.clone());
                        let node = Node { kind, shape: shape.clone(), ..graph[o].clone() };
                        out.add(node, &[places[&o]])
                    }
                    _ => places[&o],
                });
            }
            part = out.add(Node { shape: shape.clone(), ..graph[op].clone() }, &operands);
            done.insert(op, part);
        }
        whole = out.add(Node { dtype, ..graph[update].clone() }, &[whole, part]);
    }
    whole
}
