package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.TensorSource;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.Part;
import dev.nibble.trainer.model.config.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The tensors of a model under GGUF's names, and how their values change. */
final class TensorLayout {
  /** How stored values become GGUF's. */
  enum Change {
    NONE,
    /** Gemma's norms scale by 1 + weight in transformers, by the weight in llama.cpp. */
    PLUS_ONE,
    /** Row i of a head goes to 2i, row i + D/2 to 2i + 1, see {@link Architecture}. */
    INTERLEAVE
  }

  /**
   * A tensor.
   *
   * @param source its name in transformers
   * @param name its name in GGUF
   */
  record Entry(String source, String name, Shape shape, Change change) {

    /** Changes values that were just read. */
    void apply(Tensor values, int headSize) {
      switch (change) {
        case NONE -> {}
        case PLUS_ONE -> {
          for (long i = 0; i < values.elements(); i++) {
            values.setFloat(i, values.getFloat(i) + 1);
          }
        }
        case INTERLEAVE -> interleave(values, headSize);
      }
    }
  }

  private TensorLayout() {}

  /**
   * The tensors of a model, in the order of the forward pass.
   *
   * @param ownHead whether it has an output head of its own, tied or not
   */
  static List<Entry> of(ModelConfig config, Architecture architecture, boolean ownHead) {
    List<Entry> entries = new ArrayList<>();
    for (TensorSpec t : ModelTensors.of(config)) {
      if (t.part() != Part.HEAD) {
        entries.add(entry(t, architecture));
      }
    }
    if (ownHead) {
      entries.add(entry(ModelTensors.head(config), architecture));
    }
    return List.copyOf(entries);
  }

  private static Entry entry(TensorSpec t, Architecture architecture) {
    String block = t.layer().isPresent() ? "blk.%d.".formatted(t.layer().getAsInt()) : "";
    String name = block + name(t.part()) + (t.isBias() ? ".bias" : ".weight");
    return new Entry(t.name(), name, t.shape(), change(t, architecture));
  }

  private static String name(Part part) {
    return switch (part) {
      case EMBEDDING -> "token_embd";
      case ATTENTION_NORM -> "attn_norm";
      case QUERY -> "attn_q";
      case KEY -> "attn_k";
      case VALUE -> "attn_v";
      case QUERY_KEY_VALUE -> "attn_qkv";
      case QUERY_NORM -> "attn_q_norm";
      case KEY_NORM -> "attn_k_norm";
      case ATTENTION_OUTPUT -> "attn_output";
      case POST_ATTENTION_NORM -> "post_attention_norm";
      case FEED_FORWARD_NORM -> "ffn_norm";
      case GATE -> "ffn_gate";
      case UP, GATE_UP -> "ffn_up";
      case DOWN -> "ffn_down";
      case POST_FEED_FORWARD_NORM -> "post_ffw_norm";
      case LAST_NORM -> "output_norm";
      case HEAD -> "output";
    };
  }

  private static Change change(TensorSpec t, Architecture architecture) {
    boolean rotated = t.part() == Part.QUERY || t.part() == Part.KEY;
    if (architecture.rotatesNeighbours() && rotated) {
      return Change.INTERLEAVE;
    }
    boolean norm = t.kind() == TensorSpec.Kind.NORM;
    return architecture.isGemma() && norm ? Change.PLUS_ONE : Change.NONE;
  }

  /**
   * Checks that a checkpoint has these tensors and no others.
   *
   * @throws ExportException naming all that are missing, unexpected or of another shape
   */
  static void check(List<Entry> entries, TensorSource source) {
    Set<String> unexpected = new TreeSet<>(source.names());
    // Old checkpoints carry the rotary frequencies, which config.json says as well.
    unexpected.removeIf(name -> name.endsWith(".rotary_emb.inv_freq"));
    List<String> problems = new ArrayList<>();
    for (Entry e : entries) {
      if (!unexpected.remove(e.source())) {
        problems.add("missing " + e.source());
      } else if (!source.shape(e.source()).equals(e.shape())) {
        problems.add(
            "%s is %s, expected %s".formatted(e.source(), source.shape(e.source()), e.shape()));
      }
    }
    unexpected.forEach(name -> problems.add("unexpected " + name));
    if (!problems.isEmpty()) {
      throw new ExportException(
          "the checkpoint's tensors do not fit its config.json:%n  %s"
              .formatted(String.join(System.lineSeparator() + "  ", problems)));
    }
  }

  /** See {@link Change#INTERLEAVE}; works on matrices and on biases. */
  static void interleave(Tensor values, int headSize) {
    int columns = Math.toIntExact(values.elements() / values.dim(0));
    int half = headSize / 2;
    for (long head = 0; head < values.dim(0); head += headSize) {
      Tensor rows = values.part(head * columns, headSize, columns);
      float[] old = rows.toFloats();
      float[] row = new float[columns];
      for (int i = 0; i < headSize; i++) {
        System.arraycopy(old, i * columns, row, 0, columns);
        rows.part((i < half ? 2L * i : 2L * (i - half) + 1) * columns, columns).put(row);
      }
    }
  }
}
