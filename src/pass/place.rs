//! Where updated arrays lie: a chain of updates stores into one memory.
//!
//! An update may store into its base when nobody needs the base as it was any more. So updates come
//! as late as they can, and a base that others use too is copied first ([`arrange`]), unless all of
//! them have read it by then ([`share`]). Part of `fuse`, which knows what loops read.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fuse::{is_memory, needs};
use crate::graph::{Graph, Ix, Kind, Reason, View};

/// The most places of a value's graph that are looked at for reads of what it is stored into.
const MAX_LOOKS: usize = 512;

/// The memory that a node stores into, if it is an update.
pub(super) fn base(graph: &Graph, at: Ix) -> Option<Ix> {
    matches!(graph[at].kind, Kind::Update(_)).then(|| graph.source(graph.operands(at)[0]))
}

/// The loop that an update may join although it stores to the same memory: what lies between elements
/// that a loop stores is best stored by that loop. All its updates are `blind`: their values do not look
/// at what they store into.
pub(super) fn twin(
    graph: &Graph,
    at: Ix,
    loop_of: &HashMap<Ix, usize>,
    blind: &HashSet<Ix>,
) -> Option<usize> {
    let found = *loop_of.get(&chain(graph, at).next()?)?;
    let fits = |o: Ix| blind.contains(&o) && interleave(graph, o, at);
    let here = |o: &Ix| loop_of.get(o) == Some(&found);
    chain(graph, at).take_while(here).all(fits).then_some(found)
}

/// The updates that an update stores on top of, the latest first.
fn chain(graph: &Graph, at: Ix) -> impl Iterator<Item = Ix> + '_ {
    let below = |&at: &Ix| {
        let base = graph.operands(at)[0];
        matches!(graph[base].kind, Kind::Update(_)).then_some(base)
    };
    std::iter::successors(below(&at), below)
}

/// Whether two updates of one array store different elements that lie between each other.
fn interleave(graph: &Graph, a: Ix, b: Ix) -> bool {
    let (Kind::Update(x), Kind::Update(y)) = (&graph[a].kind, &graph[b].kind) else { return false };
    let (shape, from) = (graph.loop_shape(a), &graph[a].shape);
    let Some(last) = from.iter().rposition(|&e| e > 1) else { return false };
    let dense = |view: &View| {
        let line = view.dims[last];
        line.step.abs() == 1 && line.axis.is_some_and(|axis| shape[axis] > 1)
    };
    shape == graph.loop_shape(b)
        && from == &graph[b].shape
        && !dense(x)
        && !dense(y)
        && x.disjoint(shape, y, shape)
}

/// Puts updates as late as possible, and gives each a base that it alone stores into.
pub(super) fn arrange(graph: &mut Graph) {
    if !graph.nodes.node_weights().any(|n| matches!(n.kind, Kind::Update(_))) {
        return;
    }
    // A result's shape is the caller's business: the memory of a reshaped update is that of the update.
    for i in 0..graph.outputs.len() {
        let source = graph.source(graph.outputs[i]);
        if matches!(graph[source].kind, Kind::Update(_)) {
            graph.outputs[i] = source;
        }
    }
    super::dead::run(graph);
    let order = late(graph);
    rebuild(graph, &order);
}

/// The nodes, operands before users, where an update comes when nothing else can; and of several
/// updates first one whose base nothing else waits for.
fn late(graph: &Graph) -> Vec<Ix> {
    let order = graph.order();
    let bound = order.last().map_or(0, |at| at.index() + 1);
    let (mut missing, mut unread) = (vec![0usize; bound], vec![0usize; bound]);
    for &at in &order {
        let operands = graph.operands(at);
        missing[at.index()] = operands.len();
        operands.iter().for_each(|o| unread[o.index()] += 1);
    }
    let is_update = |at: Ix| matches!(graph[at].kind, Kind::Update(_));
    let (mut plain, mut free, mut held) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    plain.extend(order.iter().copied().filter(|at| missing[at.index()] == 0));
    let mut out = Vec::with_capacity(order.len());
    while let Some(at) = plain.pop_first().or_else(|| free.pop_first()).or_else(|| held.pop_first())
    {
        out.push(at);
        for user in graph.users(at) {
            missing[user.index()] -= 1;
            if missing[user.index()] > 0 {
                continue;
            }
            if !is_update(user) {
                plain.insert(user);
            } else if unread[graph.operands(user)[0].index()] == 1 {
                free.insert(user);
            } else {
                held.insert(user);
            }
        }
        for operand in graph.operands(at) {
            unread[operand.index()] -= 1;
            if unread[operand.index()] == 1 {
                free.extend(graph.users(operand).into_iter().filter_map(|user| held.take(&user)));
            }
        }
    }
    out
}

/// The graph in this order. Updates whose base others use too store into a copy; memory with nothing
/// in it belongs to one update.
fn rebuild(graph: &mut Graph, order: &[Ix]) {
    let bound = order.iter().map(|at| at.index() + 1).max().unwrap_or(0);
    let mut uses = vec![0usize; bound];
    for &at in order {
        graph.operands(at).iter().for_each(|o| uses[o.index()] += 1);
    }
    graph.outputs.iter().for_each(|o| uses[o.index()] += 1);
    let mut out =
        Graph { inputs: graph.inputs.clone(), calls: graph.calls.clone(), ..Graph::default() };
    let mut places: HashMap<Ix, Ix> = HashMap::new();
    for &at in order {
        let node = &graph[at];
        let old = graph.operands(at);
        let mut operands: crate::graph::Operands = old.iter().map(|o| places[o]).collect();
        if matches!(node.kind, Kind::Update(_)) {
            let copy = match graph[old[0]].kind {
                Kind::Empty => Some(Kind::Empty),
                _ => (!belongs(graph, old[0], &uses)).then_some(Kind::Copy),
            };
            if let Some(kind) = copy {
                let from = operands[0];
                let base = crate::graph::Node { kind, ..graph[old[0]].clone() };
                let copy = crate::graph::Node { span: node.span, once: false, ..base };
                let from = if copy.kind == Kind::Empty { &[][..] } else { &[from] };
                operands[0] = out.add(copy, from);
            }
        }
        places.insert(at, out.add(node.clone(), &operands));
    }
    out.outputs = graph.outputs.iter().map(|o| places[o]).collect();
    *graph = out;
    super::dead::run(graph);
}

/// Whether a base is memory of its own that nothing but its update sees.
fn belongs(graph: &Graph, mut at: Ix, uses: &[usize]) -> bool {
    while uses[at.index()] == 1 {
        match graph[at].kind {
            Kind::Reshape => at = graph.operands(at)[0],
            // What a call gives need not be memory that can be written.
            Kind::Input(_)
            | Kind::Component(_)
            | Kind::Scalar(_)
            | Kind::Literal(_)
            | Kind::Empty
            | Kind::Call(_) => return false,
            _ => return !graph[at].once,
        }
    }
    false
}

/// Drops the copies of bases that everything else has read before they are stored to.
pub(super) fn share(graph: &mut Graph, roots: &mut HashMap<Ix, Reason>) {
    let is_copy = |graph: &Graph, at: Ix| graph[at].kind == Kind::Copy;
    let copies: Vec<Ix> = graph.nodes.node_indices().filter(|&at| is_copy(graph, at)).collect();
    let mut readers: HashMap<Ix, Vec<Ix>> =
        copies.iter().map(|&c| (graph.operands(c)[0], Vec::new())).collect();
    if readers.is_empty() {
        return;
    }
    let wanted: HashSet<Ix> = graph.outputs.iter().copied().collect();
    for root in graph.nodes.node_indices().filter(|at| roots.contains_key(at)) {
        let needs = needs(graph, roots, root);
        for read in needs.hard.into_iter().chain(needs.soft) {
            if let Some(list) = readers.get_mut(&read).filter(|l| l.last() != Some(&root)) {
                list.push(root);
            }
        }
    }
    for copy in copies {
        let base = graph.operands(copy)[0];
        let update = graph.users(copy)[0];
        let is_call = |at: Ix| matches!(graph[at].kind, Kind::Call(_));
        let own = roots.contains_key(&base)
            && !is_memory(graph, base)
            && !is_call(base)
            && !wanted.contains(&base);
        // A call may keep what it reads.
        let done = |&r: &Ix| {
            (r <= copy && !is_call(r)) || (r == update && harmless(graph, roots, r, base))
        };
        if own && readers[&base].iter().all(done) {
            graph.replace(copy, base);
            roots.remove(&copy);
        }
    }
}

/// Whether the value of an update reads its base only where it is stored, or where it is not stored at
/// all.
fn harmless(graph: &Graph, roots: &HashMap<Ix, Reason>, update: Ix, base: Ix) -> bool {
    let Kind::Update(place) = &graph[update].kind else { return false };
    let value = graph.operands(update)[1];
    let shape = &graph[value].shape;
    let mut stack = vec![(value, View::identity(shape.len()))];
    let mut seen: HashSet<(Ix, View)> = HashSet::new();
    while let Some((at, view)) = stack.pop() {
        if at == base {
            if !place.same(&view, shape) && !place.disjoint(shape, &view, shape) {
                return false;
            }
            continue;
        }
        if roots.contains_key(&at) || !seen.insert((at, view.clone())) {
            continue;
        }
        if seen.len() > MAX_LOOKS {
            return false;
        }
        let node = &graph[at];
        let operands = graph.operands(at);
        match &node.kind {
            Kind::Reshape if graph.source(at) == base => return false,
            Kind::Reshape => {}
            Kind::View(inner) => stack.push((operands[0], view.of(inner))),
            Kind::Interp { .. } => {
                if operands[1..].iter().any(|&o| graph.source(o) == base) {
                    return false;
                }
                stack.push((operands[0], view));
            }
            _ => stack.extend(
                operands
                    .iter()
                    .map(|&o| (o, view.of(&View::broadcast(&graph[o].shape, &node.shape)))),
            ),
        }
    }
    true
}
