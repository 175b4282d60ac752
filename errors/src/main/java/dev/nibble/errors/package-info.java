/**
 * The parent of Nibble's exceptions: whose fault an error is, and what would avoid it. Low enough
 * for every module: it needs the JDK alone.
 */
@NullMarked
package dev.nibble.errors;

import org.jspecify.annotations.NullMarked;
