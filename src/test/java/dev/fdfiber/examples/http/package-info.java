/** What the HTTP part of the examples has to do: a test class for each rule or defect. */
package dev.fdfiber.examples.http;
