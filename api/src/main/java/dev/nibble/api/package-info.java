/** Nibble as a library: what a Java program and the command line call. Nothing here prints. */
@NullMarked
package dev.nibble.api;

import org.jspecify.annotations.NullMarked;
