package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.optim.StateLayout.Part;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What an optimizer remembers of each parameter, in pages: stretches of weights for updates, and
 * tensors by name for checkpoints, which do not depend on pages.
 */
public final class OptimizerState {

  /**
   * One tensor of the state.
   *
   * @param name the parameter's, and what it is
   */
  public record Entry(String name, DType dtype, Shape shape) {}

  /** Some of an entry's elements, from {@code at} on, and where they lie. */
  private record Piece(int entry, long at, Tensor view) {}

  /** What a page holds. */
  private record Page(List<Stretch> stretches, List<Piece> pieces) {}

  private final Kernels kernels;
  private final Pager pager;
  private final List<Entry> entries = new ArrayList<>();
  private final List<Page> pages = new ArrayList<>();

  private OptimizerState(Kernels kernels, Pager pager) {
    this.kernels = kernels;
    this.pager = pager;
  }

  /**
   * Takes memory, all 0.
   *
   * @param fields of a parameter's state
   */
  static OptimizerState take(
      Kernels kernels,
      Parameters parameters,
      Function<Parameter, List<StateField>> fields,
      StateMemory memory) {
    StateLayout layout = StateLayout.of(parameters, fields, memory.pageBytes());
    long[] sizes = layout.pageSizes();
    Pager pager =
        memory
            .paging()
            .map(paging -> kernels.pager(memory.scope(), sizes, paging))
            .orElseGet(() -> Pager.resident(memory.scope(), sizes));
    OptimizerState state = new OptimizerState(kernels, pager);
    for (int i = 0; i < sizes.length; i++) {
      state.pages.add(new Page(new ArrayList<>(), new ArrayList<>()));
    }
    for (Part part : layout.parts()) {
      state.pages.get(part.page).stretches().add(state.stretch(part, parameters));
    }
    state.name(layout.parts(), parameters, fields);
    return state;
  }

  private Stretch stretch(Part part, Parameters parameters) {
    List<Tensor> views = new ArrayList<>();
    for (int f = 0; f < part.fields.size(); f++) {
      views.add(view(part, f));
    }
    Tensor weight = parameters.weights().part(part.from, part.count());
    Tensor gradient = parameters.gradients().part(part.from, part.count());
    if (part.isOneParameter()) {
      long[] dims = shapeAt(parameters, part.from).dims();
      weight = weight.reshape(dims);
      gradient = gradient.reshape(dims);
    }
    return new Stretch(part.range.group(), part.range.decays(), weight, gradient, views);
  }

  private static Shape shapeAt(Parameters parameters, long weight) {
    long from = 0;
    for (Parameter p : parameters.all()) {
      if (from == weight && p.weight().elements() > 0) {
        return p.weight().shape();
      }
      from += p.weight().elements();
    }
    throw new IllegalArgumentException("no parameter begins at weight " + weight);
  }

  /** A field of a part, as what it is. */
  private Tensor view(Part part, int field) {
    Tensor page = pager.page(part.page);
    StateField f = part.fields.get(field);
    Tensor bytes = page.part(part.offsetOf(field), f.bytes(part.count()));
    return new Tensor(
        "optimizer" + f.suffix(),
        f.dtype(),
        Shape.of(f.elements(part.count())),
        page.device(),
        bytes.memory(),
        bytes.offset());
  }

  /** Finds the pieces of each entry: a parameter may lie on several pages. */
  private void name(
      List<Part> parts, Parameters parameters, Function<Parameter, List<StateField>> fields) {
    int next = 0;
    long from = 0;
    for (Parameter p : parameters.all()) {
      long end = from + p.weight().elements();
      List<StateField> own = fields.apply(p);
      int first = entries.size();
      for (StateField f : own) {
        Shape shape =
            f.per() == 1 ? p.weight().shape() : Shape.of(f.elements(p.weight().elements()));
        entries.add(new Entry(p.name() + f.suffix(), f.dtype(), shape));
      }
      while (next < parts.size() && parts.get(next).from < end) {
        Part part = parts.get(next);
        addPieces(part, first, from, Math.max(from, part.from), Math.min(end, end(part)));
        if (end(part) > end) {
          break;
        }
        next++;
      }
      from = end;
    }
  }

  private static long end(Part part) {
    return part.from + part.count();
  }

  /** The state of a parameter's weights {@code from} to {@code to}, which are in one part. */
  private void addPieces(Part part, int firstEntry, long parameter, long from, long to) {
    for (int f = 0; f < part.fields.size(); f++) {
      StateField field = part.fields.get(f);
      long start = field.per() == 0 ? 0 : (from - part.from) / field.per();
      long at = field.per() == 0 ? 0 : (from - parameter) / field.per();
      Tensor piece = view(part, f).part(start, field.elements(to - from));
      pages.get(part.page).pieces().add(new Piece(firstEntry + f, at, piece));
    }
  }

  /** Calls an update for each stretch, page by page. */
  void forEach(Consumer<Stretch> update) {
    onPages(page -> page.stretches().forEach(update));
  }

  private void onPages(Consumer<Page> work) {
    for (int i = 0; i < pages.size(); i++) {
      pager.enter(i);
      work.accept(pages.get(i));
      pager.leave(i);
    }
  }

  /** What {@link #save} gives and {@link #restore} takes, in order of the parameters. */
  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** All tensors by name, where Java can read them, as long as {@code host} and this are open. */
  public Map<String, Tensor> save(HostCopies host) {
    Map<Integer, Tensor> found = new HashMap<>();
    onPages(page ->
        page.pieces()
            .forEach(piece -> {
              Entry e = entries.get(piece.entry());
              if (piece.view().elements() == e.shape().elements()) {
                found.put(piece.entry(), host.of(piece.view()).reshape(e.shape().dims()));
                return;
              }
              Tensor whole =
                  found.computeIfAbsent(
                      piece.entry(), i -> host.allocate(e.name(), e.dtype(), e.shape().dims()));
              kernels.moving().copy(whole.part(piece.at(), piece.view().elements()), piece.view());
            }));
    Map<String, Tensor> saved = new LinkedHashMap<>();
    for (int i = 0; i < entries.size(); i++) {
      Entry e = entries.get(i);
      Tensor t = found.get(i);
      saved.put(e.name(), t != null ? t : host.allocate(e.name(), e.dtype(), e.shape().dims()));
    }
    return saved;
  }

  /** Sets all tensors to what {@link #save} gave: {@code saved} tells it by name. */
  public void restore(Function<String, Tensor> saved) {
    onPages(page ->
        page.pieces()
            .forEach(piece -> {
              Tensor from = saved.apply(entries.get(piece.entry()).name());
              kernels.moving().copy(piece.view(), from.part(piece.at(), piece.view().elements()));
            }));
  }

  /** Bytes of all pages. */
  public long bytes() {
    long bytes = 0;
    for (int i = 0; i < pages.size(); i++) {
      bytes += pager.page(i).bytes();
    }
    return bytes;
  }

  void close() {
    pager.close();
  }
}
