//! The languages whose code is shown in colours: what their comments, strings and words look like.

/// How a language is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Code,
    /// Elements in angle brackets.
    Markup,
    /// The difference of two files.
    Changes,
}

/// How a string is written.
#[derive(Debug)]
pub struct Quote {
    pub open: &'static str,
    pub close: &'static str,
    /// A backslash takes the next sign's meaning away.
    pub has_escapes: bool,
    /// It may go over several lines.
    pub is_long: bool,
    /// It holds one letter only.
    pub is_one: bool,
}

/// A language.
#[derive(Debug)]
pub struct Language {
    /// What people call it behind the backticks, in lower case.
    pub names: &'static [&'static str],
    pub kind: Kind,
    /// What begins a comment to the end of its line.
    pub line: &'static [&'static str],
    pub block: &'static [(&'static str, &'static str)],
    pub quotes: &'static [Quote],
    /// With one space between them.
    pub words: &'static str,
    pub is_case_blind: bool,
    /// Signs that are part of a name, besides letters, digits and `_`.
    pub extra: &'static str,
    /// What stands behind a key.
    pub key: Option<char>,
}

/// The language that goes by this name.
pub fn find(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

const fn quote(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, has_escapes: true, is_long: false, is_one: false }
}

const fn long(open: &'static str, close: &'static str) -> Quote {
    Quote { is_long: true, ..quote(open, close) }
}

const fn raw(open: &'static str, close: &'static str) -> Quote {
    Quote { has_escapes: false, ..long(open, close) }
}

const DOUBLE: Quote = quote("\"", "\"");
const SINGLE: Quote = quote("'", "'");
const LETTER: Quote = Quote { is_one: true, ..quote("'", "'") };
const BOTH: &[Quote] = &[DOUBLE, SINGLE];
const SLASHES: &[&str] = &["//"];
const HASH: &[&str] = &["#"];
const STARS: &[(&str, &str)] = &[("/*", "*/")];

/// With comments as in C.
const fn like_c(names: &'static [&'static str], words: &'static str) -> Language {
    Language {
        names,
        kind: Kind::Code,
        line: SLASHES,
        block: STARS,
        quotes: BOTH,
        words,
        is_case_blind: false,
        extra: "",
        key: None,
    }
}

/// With comments as in a shell.
const fn like_shell(names: &'static [&'static str], words: &'static str) -> Language {
    Language { line: HASH, block: &[], ..like_c(names, words) }
}

static LANGUAGES: [Language; 31] = [
    Language {
        quotes: &[raw("r#\"", "\"#"), long("\"", "\""), LETTER],
        ..like_c(
            &["rust", "rs"],
            "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type union unsafe use where while",
        )
    },
    Language {
        quotes: &[long("\"\"\"", "\"\"\""), long("'''", "'''"), DOUBLE, SINGLE],
        ..like_shell(
            &["python", "py", "python3", "pycon", "ipython"],
            "and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield",
        )
    },
    Language {
        quotes: &[DOUBLE, SINGLE, long("`", "`")],
        extra: "$",
        ..like_c(
            &["javascript", "js", "jsx", "mjs", "cjs", "typescript", "ts", "tsx"],
            "abstract any as async await boolean break case catch class const continue declare default delete do else enum export extends false finally for from function get if implements import in instanceof interface keyof let namespace never new null number of private protected public readonly return set static string super switch this throw true try type typeof undefined unknown var void while with yield",
        )
    },
    Language {
        line: &[],
        block: &[],
        quotes: &[DOUBLE],
        key: Some(':'),
        ..like_c(&["json", "jsonl"], "true false null")
    },
    Language { key: Some(':'), line: &["//"], ..like_c(&["json5", "jsonc"], "true false null") },
    like_c(
        &["c", "h", "cpp", "c++", "cc", "cxx", "hpp", "hxx", "ino", "arduino", "cuda", "cu", "glsl", "hlsl"],
        "alignas alignof auto bool break case catch char class concept const constexpr consteval continue co_await co_return co_yield decltype default delete do double else enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept nullptr NULL operator override private protected public register requires restrict return short signed sizeof static static_cast struct switch template this throw true try typedef typename union unsigned using virtual void volatile while int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t",
    ),
    Language {
        quotes: &[long("\"\"\"", "\"\"\""), DOUBLE, SINGLE],
        ..like_c(
            &["java", "kotlin", "kt", "kts", "scala", "groovy", "gradle"],
            "abstract as assert boolean break by byte case catch char class companion const continue data def default do double else enum extends false final finally float for fun given goto if implements import in init inline instanceof int interface internal is lateinit lazy long match native new null object open operator out override package private protected public record return sealed short static super suspend switch synchronized this throw throws trait transient true try type val var vararg void volatile when where while with yield",
        )
    },
    Language {
        quotes: &[raw("@\"", "\""), DOUBLE, SINGLE],
        ..like_c(
            &["csharp", "cs", "c#"],
            "abstract as async await base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally fixed float for foreach get goto if implicit in int interface internal is lock long namespace new null object operator out override params private protected public readonly record ref return sbyte sealed set short sizeof static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where while yield",
        )
    },
    Language {
        quotes: &[DOUBLE, SINGLE, raw("`", "`")],
        ..like_c(
            &["go", "golang"],
            "any bool break byte case chan const continue default defer else error fallthrough false float32 float64 for func go goto if import int int64 interface iota make map new nil package range return rune select string struct switch true type uint var",
        )
    },
    Language {
        quotes: &[long("\"\"\"", "\"\"\""), DOUBLE],
        ..like_c(
            &["swift"],
            "actor any as associatedtype async await break case catch class continue default defer deinit do else enum extension fallthrough false fileprivate for func guard if import in init inout internal is lazy let nil open operator override private protocol public repeat rethrows return self Self some static struct subscript super switch throw throws true try typealias var weak where while",
        )
    },
    Language {
        extra: "$",
        line: &["//", "#"],
        ..like_c(
            &["php"],
            "abstract and array as break case catch class clone const continue declare default do echo else elseif enum extends false final finally fn for foreach function global if implements include instanceof interface isset list match namespace new null or print private protected public readonly require require_once return static switch this throw trait true try unset use var while yield",
        )
    },
    Language {
        extra: "$",
        ..like_c(
            &["dart", "zig", "d", "v", "solidity", "sol", "proto", "protobuf"],
            "abstract as assert async await bool break case catch class comptime const continue contract default defer do double else enum errdefer error extends external factory false final finally fn for function get if implements import in int interface is late library mapping message mixin mut new null operator optional orelse override package pub public repeated required rethrow return service set static string struct super switch syntax this throw true try typedef uint256 undefined union unreachable usize var void while with yield",
        )
    },
    Language {
        quotes: &[DOUBLE, raw("'", "'"), raw("`", "`")],
        extra: "-",
        ..like_shell(
            &["bash", "sh", "shell", "zsh", "fish", "console", "ksh"],
            "alias break case cd continue do done echo elif else esac eval exec exit export fi for function if in local printf read return select set shift source sudo test then time trap unset until while",
        )
    },
    Language {
        is_case_blind: true,
        extra: "-$",
        block: &[("<#", "#>")],
        ..like_shell(
            &["powershell", "ps1", "pwsh"],
            "begin break catch class continue do else elseif end enum exit filter finally for foreach function if in param process return switch throw trap try until using while",
        )
    },
    Language {
        quotes: &[DOUBLE, raw("'", "'")],
        is_case_blind: true,
        line: &["--", "#"],
        ..like_c(
            &["sql", "mysql", "postgres", "postgresql", "psql", "sqlite", "plsql", "tsql"],
            "add all alter and as asc begin between bigint blob boolean by cascade case cast check column commit constraint create cross current_timestamp database default delete desc distinct drop else end except exists explain false fetch foreign from full function grant group having if in index inner insert int integer interval into is join key left like limit not null numeric offset on or order outer over partition primary procedure references returning revoke right rollback row select serial set table text then timestamp to transaction trigger true truncate union unique update using values varchar view when where with",
        )
    },
    Language {
        key: Some(':'),
        extra: "-./",
        ..like_shell(&["yaml", "yml"], "true false null yes no on off")
    },
    Language {
        key: Some('='),
        extra: "-.",
        quotes: &[long("\"\"\"", "\"\"\""), DOUBLE, SINGLE],
        ..like_shell(&["toml"], "true false")
    },
    Language {
        key: Some('='),
        extra: "-.",
        line: &["#", ";"],
        ..like_shell(
            &["ini", "cfg", "conf", "config", "properties", "env", "dotenv", "desktop", "systemd"],
            "true false yes no on off",
        )
    },
    Language {
        key: Some(':'),
        extra: "-@",
        ..like_c(
            &["css", "scss", "less", "sass"],
            "@media @import @supports @keyframes @font-face @layer @container @use @mixin @include important inherit initial unset revert auto none",
        )
    },
    Language {
        kind: Kind::Markup,
        ..like_c(&["html", "xml", "svg", "xhtml", "vue", "svelte", "rss", "plist"], "")
    },
    Language { kind: Kind::Changes, ..like_c(&["diff", "patch"], "") },
    Language {
        block: &[("=begin", "=end")],
        extra: "@?",
        ..like_shell(
            &["ruby", "rb", "crystal", "elixir", "ex", "exs"],
            "alias and begin break case class cond def defmodule defp defstruct do else elsif end ensure false fn for if import in module next nil not or raise receive redo require rescue retry return self super then true undef unless until use when while with yield",
        )
    },
    Language {
        extra: "$@%",
        ..like_shell(
            &["perl", "pl", "raku"],
            "and bless cmp die do else elsif eq for foreach ge given gt if last le local lt my ne next no not or our package print redo require return say shift sub undef unless until use wantarray when while xor",
        )
    },
    Language {
        line: &["--"],
        block: &[("--[[", "]]")],
        quotes: &[DOUBLE, SINGLE, raw("[[", "]]")],
        ..like_c(
            &["lua", "luau"],
            "and break do else elseif end false for function goto if in local nil not or repeat return then true until while",
        )
    },
    Language {
        line: &["--"],
        block: &[("{-", "-}")],
        quotes: &[DOUBLE, LETTER],
        ..like_c(
            &["haskell", "hs", "elm", "purescript"],
            "as case class data default deriving do else exposing family forall foreign hiding if import in infix infixl infixr instance let module newtype of port qualified then type where",
        )
    },
    Language {
        line: &[";"],
        block: &[("#|", "|#")],
        quotes: &[DOUBLE],
        extra: "-!?*+/<>=",
        ..like_c(
            &["lisp", "clojure", "clj", "scheme", "racket", "elisp", "emacs-lisp"],
            "and begin case cond def define defmacro defn defun do else fn for if in lambda let letrec loop nil not ns or quote recur require set setq unless when while",
        )
    },
    Language {
        line: &["%", "#", "!"],
        quotes: &[DOUBLE, SINGLE],
        is_case_blind: true,
        ..like_c(
            &["matlab", "octave", "fortran", "f90", "f95"],
            "allocatable allocate break call case character complex contains continue cycle deallocate dimension do double else elseif end enddo endif endfunction endwhile exit false for function global if implicit integer intent logical module none otherwise parameter persistent print program real return select stop subroutine switch then true try catch type until use while write",
        )
    },
    Language {
        extra: ".",
        ..like_shell(
            &["r", "rstats", "julia", "jl"],
            "abstract baremodule begin break catch const do else elseif end export FALSE false finally for function global if import in Inf let library local macro module mutable NA NaN next nothing NULL primitive quote repeat return struct TRUE true try using where while",
        )
    },
    Language {
        line: &["%"],
        block: &[],
        quotes: &[],
        extra: "\\",
        ..like_c(
            &["latex", "tex", "bibtex"],
            "\\begin \\end \\section \\subsection \\chapter \\documentclass \\usepackage \\newcommand \\def \\frac \\sum \\int \\label \\ref \\cite \\item \\left \\right \\text \\mathrm \\mathbf",
        )
    },
    Language {
        key: Some(':'),
        extra: "-.$",
        ..like_shell(
            &["dockerfile", "docker", "containerfile", "makefile", "make", "cmake", "just"],
            "ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR define else endef endif export ifdef ifeq ifndef ifneq include override add_executable add_library cmake_minimum_required find_package if endif project set target_link_libraries",
        )
    },
    Language {
        extra: "-",
        ..like_shell(
            &["nix", "nginx", "hcl", "terraform", "tf", "graphql", "gql"],
            "assert data else enum false fragment if import in inherit input interface let listen locals location module mutation null on output provider query rec resource schema server subscription then true type union upstream variable with",
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_language() {
        let mut names: Vec<&str> = LANGUAGES.iter().flat_map(|language| language.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(find("Rust").is_some() && find("C++").is_some() && find("").is_none());
    }
}
