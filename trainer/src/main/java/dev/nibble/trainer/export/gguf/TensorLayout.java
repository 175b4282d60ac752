package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which tensors a model has, what GGUF calls them, and how their values change. */
final class TensorLayout {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String HEAD = "lm_head.weight";

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

  private final ModelConfig config;
  private final List<Entry> entries = new ArrayList<>();

  private TensorLayout(ModelConfig config) {
    this.config = config;
  }

  /**
   * The tensors of a model, in the order of the file.
   *
   * @param vocabSize V
   * @param ownHead whether it has an output head of its own
   */
  static List<Entry> of(ModelConfig config, long vocabSize, boolean ownHead) {
    TensorLayout layout = new TensorLayout(config);
    layout.add(EMBEDDING, "token_embd.weight", vocabSize, config.hiddenSize());
    for (int i = 0; i < config.layers(); i++) {
      layout.attention("model.layers.%d.".formatted(i), "blk.%d.".formatted(i));
      layout.feedForward("model.layers.%d.".formatted(i), "blk.%d.".formatted(i));
    }
    layout.norm("model.norm.weight", "output_norm.weight", config.hiddenSize());
    if (ownHead) {
      layout.add(HEAD, "output.weight", vocabSize, config.hiddenSize());
    }
    return List.copyOf(layout.entries);
  }

  private void attention(String from, String to) {
    boolean bias = config.attentionBias();
    Change rotated = config.architecture().rotatesNeighbours() ? Change.INTERLEAVE : Change.NONE;
    int c = config.hiddenSize();
    int q = config.querySize();
    int kv = config.keyValueSize();
    norm(from + "input_layernorm.weight", to + "attn_norm.weight", c);
    if (config.architecture().isFused()) {
      linear(from + "self_attn.qkv_proj", to + "attn_qkv", q + 2 * kv, c, false, Change.NONE);
    } else {
      linear(from + "self_attn.q_proj", to + "attn_q", q, c, bias, rotated);
      linear(from + "self_attn.k_proj", to + "attn_k", kv, c, bias, rotated);
      linear(from + "self_attn.v_proj", to + "attn_v", kv, c, bias, Change.NONE);
    }
    linear(from + "self_attn.o_proj", to + "attn_output", c, q, config.outputBias(), Change.NONE);
    if (config.architecture().hasHeadNorms()) {
      norm(from + "self_attn.q_norm.weight", to + "attn_q_norm.weight", config.headSize());
      norm(from + "self_attn.k_norm.weight", to + "attn_k_norm.weight", config.headSize());
    }
  }

  private void feedForward(String from, String to) {
    boolean bias = config.mlpBias();
    int c = config.hiddenSize();
    int f = config.feedForwardSize();
    if (config.architecture().isGemma()) {
      norm(from + "post_attention_layernorm.weight", to + "post_attention_norm.weight", c);
      norm(from + "pre_feedforward_layernorm.weight", to + "ffn_norm.weight", c);
      norm(from + "post_feedforward_layernorm.weight", to + "post_ffw_norm.weight", c);
    } else {
      norm(from + "post_attention_layernorm.weight", to + "ffn_norm.weight", c);
    }
    if (config.architecture().isFused()) {
      linear(from + "mlp.gate_up_proj", to + "ffn_up", 2 * f, c, false, Change.NONE);
    } else {
      linear(from + "mlp.gate_proj", to + "ffn_gate", f, c, bias, Change.NONE);
      linear(from + "mlp.up_proj", to + "ffn_up", f, c, bias, Change.NONE);
    }
    linear(from + "mlp.down_proj", to + "ffn_down", c, f, bias, Change.NONE);
  }

  private void linear(String from, String to, int rows, int columns, boolean bias, Change change) {
    entries.add(new Entry(from + ".weight", to + ".weight", Shape.of(rows, columns), change));
    if (bias) {
      entries.add(new Entry(from + ".bias", to + ".bias", Shape.of(rows), change));
    }
  }

  private void norm(String from, String to, int size) {
    Change change = config.architecture().isGemma() ? Change.PLUS_ONE : Change.NONE;
    entries.add(new Entry(from, to, Shape.of(size), change));
  }

  private void add(String from, String to, long... dims) {
    entries.add(new Entry(from, to, Shape.of(dims), Change.NONE));
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
