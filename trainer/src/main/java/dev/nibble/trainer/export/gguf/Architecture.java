package dev.nibble.trainer.export.gguf;

/** What GGUF calls the families of models. */
enum Architecture {
  /** Llama and Mistral. */
  LLAMA("llama"),
  QWEN2("qwen2"),
  QWEN3("qwen3"),
  PHI3("phi3"),
  GEMMA2("gemma2"),
  GEMMA3("gemma3");

  private final String id;

  Architecture(String id) {
    this.id = id;
  }

  /** Its name in the file, which also begins its metadata keys. */
  String id() {
    return id;
  }

  static Architecture of(JsonFile config) {
    return switch (config.text("model_type", "")) {
      case "llama", "mistral" -> LLAMA;
      case "qwen2" -> QWEN2;
      case "qwen3" -> QWEN3;
      case "phi3" -> PHI3;
      case "gemma2" -> GEMMA2;
      case "gemma3_text" -> GEMMA3;
      default ->
          throw config.wrong(
              "model_type", "llama, mistral, qwen2, qwen3, phi3, gemma2, gemma3_text");
    };
  }

  boolean isGemma() {
    return this == GEMMA2 || this == GEMMA3;
  }

  /** One matrix makes queries, keys and values, and another gate and up. */
  boolean isFused() {
    return this == PHI3;
  }

  /** Queries and keys are normalised for each head. */
  boolean hasHeadNorms() {
    return this == QWEN3 || this == GEMMA3;
  }

  /**
   * Rotary embedding turns neighbouring elements of a head, where transformers turns element i and
   * i + D/2: the rows of the query and key projections change places.
   */
  boolean rotatesNeighbours() {
    return this == LLAMA;
  }
}
