package dev.nibble.data.chat;

import java.nio.file.Path;

/** Where the chat template comes from. */
public sealed interface TemplateChoice {
  /** The files of the model. */
  record OfModel() implements TemplateChoice {}

  /** One that Nibble ships. */
  record Shipped(String name) implements TemplateChoice {}

  /** A file of the user. */
  record InFile(Path file) implements TemplateChoice {}

  /** The recipe itself. */
  record Inline(String source) implements TemplateChoice {}
}
