package dev.nibble.data.chat;

import java.nio.file.Path;

/** Choice of a chat template. */
public sealed interface TemplateChoice {
  /** The template in the files of the model. */
  record OfModel() implements TemplateChoice {}

  /** A template that Nibble ships. */
  record Shipped(String name) implements TemplateChoice {}

  /** A template in a file. */
  record InFile(Path file) implements TemplateChoice {}

  /** The text of a template. */
  record Inline(String source) implements TemplateChoice {}
}
