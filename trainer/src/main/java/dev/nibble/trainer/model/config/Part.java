package dev.nibble.trainer.model.config;

import dev.nibble.trainer.model.config.TensorSpec.Kind;

/** The parts of a decoder that have tensors, by what they do. */
public enum Part {
  /** Token embeddings. */
  EMBEDDING(Kind.EMBEDDING),
  /** The norm of what attention reads. */
  ATTENTION_NORM(Kind.NORM),
  /** Queries. */
  QUERY(Kind.LINEAR),
  /** Keys. */
  KEY(Kind.LINEAR),
  /** Values. */
  VALUE(Kind.LINEAR),
  /** Queries, keys and values in one matrix. */
  QUERY_KEY_VALUE(Kind.LINEAR),
  /** The norm of each query head. */
  QUERY_NORM(Kind.NORM),
  /** The norm of each key head. */
  KEY_NORM(Kind.NORM),
  /** Attention's output. */
  ATTENTION_OUTPUT(Kind.LINEAR),
  /** The norm of attention's output. */
  POST_ATTENTION_NORM(Kind.NORM),
  /** The norm of what the feed-forward part reads. */
  FEED_FORWARD_NORM(Kind.NORM),
  /** The gate of a gated MLP. */
  GATE(Kind.LINEAR),
  /** The values that the gate multiplies. */
  UP(Kind.LINEAR),
  /** Gate and up in one matrix. */
  GATE_UP(Kind.LINEAR),
  /** The feed-forward part's output. */
  DOWN(Kind.LINEAR),
  /** The norm of the feed-forward part's output. */
  POST_FEED_FORWARD_NORM(Kind.NORM),
  /** The norm behind the last layer. */
  LAST_NORM(Kind.NORM),
  /** The output head. */
  HEAD(Kind.HEAD);

  private final Kind kind;

  Part(Kind kind) {
    this.kind = kind;
  }

  /** The kind of its weight. */
  public Kind kind() {
    return kind;
  }
}
