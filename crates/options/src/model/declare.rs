//! The three ways to declare a part of a document.

/// Declares an object: a struct with its reading, writing and schema.
///
/// ```text
/// model! {
///     /// Description of the object.
///     pub struct FixedSizeChunking "Fixed Size" tag mode = "Fixed Size" check consistent {
///         /// Description of the field.
///         pub z_chunk: u64 = 10, title "Chunk Size for Z", min 1;
///         /// A field without default is required.
///         pub level_names: Vec<String>, min_items 1;
///     }
/// }
/// ```
///
/// After the name stands the title; `tag` makes it a member of a [`union!`](crate::model::union!); `check` names a function
/// `fn(&Self, &mut Path, &mut Problems)` for what concerns several fields. The options of fields are the methods of
/// [`Rules`](crate::model::Rules). The struct implements `Default` if every field has a default.
#[macro_export]
macro_rules! model {
    (@some) => { None };
    (@some $default:expr) => { Some($default) };
    (@default $name:ident; $($field:ident = $default:expr;)*) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
    (@default $name:ident; $($required:tt)*) => {};
    (@tagged $name:ident; $key:ident = $tag:literal; $($doc:literal),+) => {
        impl $crate::model::Tagged for $name {
            const KEY: &'static str = stringify!($key);
            const TAG: &'static str = $tag;
            const DOC: &'static str = concat!($($doc, "\n"),+);
        }
    };
    (@tagged $name:ident; ; $($doc:literal),+) => {};
    (
        $(#[doc = $doc:literal])+
        $outer:vis struct $name:ident $title:literal $(tag $key:ident = $tag:literal)? $(check $check:path)? {
            $(
                $(#[doc = $field_doc:literal])+
                $vis:vis $field:ident : $type:ty $(= $default:expr)? $(, $option:ident $($value:literal)?)* ;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        $outer struct $name {
            $($(#[doc = $field_doc])+ $vis $field: $type,)*
        }

        $crate::model!(@default $name; $($field $(= $default)?;)*);

        impl $crate::model::Model for $name {
            fn read(
                value: &$crate::model::Value,
                at: &mut $crate::model::Path,
                problems: &mut $crate::model::Problems,
            ) -> Option<Self> {
                let mut fields = $crate::model::Fields::open(value, at, problems)?;
                $(fields.tag(stringify!($key), $tag);)?
                $(
                    let $field: Option<$type> = fields.take(
                        &$crate::model::Rules::new(stringify!($field), concat!($($field_doc, "\n"),+))
                            $(.$option($($value)?))*,
                        $crate::model!(@some $($default)?),
                    );
                )*
                fields.close();
                let read = Self { $($field: $field?,)* };
                $($check(&read, at, problems);)?
                Some(read)
            }

            fn write(&self) -> $crate::model::Value {
                let mut object = $crate::model::Map::new();
                $(object.insert(stringify!($key).to_owned(), $crate::model::Value::from($tag));)?
                $(
                    $crate::model::put::<$type>(
                        &mut object,
                        &$crate::model::Rules::new(stringify!($field), concat!($($field_doc, "\n"),+))
                            $(.$option($($value)?))*,
                        &self.$field,
                        $crate::model!(@some $($default)?),
                    );
                )*
                $crate::model::Value::Object(object)
            }

            fn schema(definitions: &mut $crate::model::Definitions) -> $crate::model::Value {
                definitions.define(stringify!($name), |definitions| {
                    let mut object = $crate::model::ObjectSchema::new($title, concat!($($doc, "\n"),+));
                    $(object.tag(stringify!($key), $tag);)?
                    $(
                        object.field::<$type>(
                            &$crate::model::Rules::new(stringify!($field), concat!($($field_doc, "\n"),+))
                                $(.$option($($value)?))*,
                            $crate::model!(@some $($default)?),
                            definitions,
                        );
                    )*
                    object.finish(definitions)
                })
            }
        }

        $crate::model!(@tagged $name; $($key = $tag)?; $($doc),+);
    };
}

/// Declares a closed set of strings: an enum with its reading, writing and schema.
///
/// ```text
/// choice! {
///     /// Description of the choice.
///     pub enum WriterMode as "WriterMode" {
///         /// Description of the value.
///         ByTile = "By Tile",
///     }
/// }
/// ```
///
/// With `as` the schema is a definition of that name (a Python enum class), without it stands where it is used (a
/// Python `Literal`). With `default NoOverwrite` the enum implements `Default`.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        $outer:vis enum $name:ident $(as $definition:literal)? $(default $default:ident)? {
            $($(#[doc = $value_doc:literal])+ $variant:ident = $value:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $outer enum $name {
            $($(#[doc = $value_doc])+ $variant,)+
        }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value as it stands in documents.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }
        }

        $(
            impl Default for $name {
                fn default() -> Self {
                    Self::$default
                }
            }
        )?

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::model::Model for $name {
            fn read(
                value: &$crate::model::Value,
                at: &mut $crate::model::Path,
                problems: &mut $crate::model::Problems,
            ) -> Option<Self> {
                let text = $crate::model::read_choice(value, &[$($value),+], at, problems)?;
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text)
            }

            fn write(&self) -> $crate::model::Value {
                $crate::model::Value::from(self.as_str())
            }

            fn schema(definitions: &mut $crate::model::Definitions) -> $crate::model::Value {
                let name = $crate::model!(@some $($definition)?);
                $crate::model::schema_choice(name, concat!($($doc, "\n"),+), &[$($value),+], definitions)
            }

            fn bullets() -> Option<String> {
                Some($crate::model::bullets(&[$(($value, concat!($($value_doc, "\n"),+))),+]))
            }
        }
    };
}

/// Declares how documents spell a type of another crate: a closed set of strings for its values.
///
/// ```text
/// choice_of! {
///     /// Description of the choice.
///     Shuffle as "Shuffle" {
///         /// Description of the value.
///         Self::Byte => "byte",
///     }
/// }
/// ```
///
/// Unlike [`choice!`](crate::model::choice!) it makes no enum, so that there is one type for one thing. The list must be complete.
#[macro_export]
macro_rules! choice_of {
    (
        $(#[doc = $doc:literal])+
        $name:ident $(as $definition:literal)? {
            $($(#[doc = $value_doc:literal])+ $choice:expr => $value:literal,)+
        }
    ) => {
        impl $crate::model::Model for $name {
            fn read(
                value: &$crate::model::Value,
                at: &mut $crate::model::Path,
                problems: &mut $crate::model::Problems,
            ) -> Option<Self> {
                let text = $crate::model::read_choice(value, &[$($value),+], at, problems)?;
                [$(($choice, $value)),+].into_iter().find(|(_, spelled)| *spelled == text).map(|(choice, _)| choice)
            }

            fn write(&self) -> $crate::model::Value {
                let spelled = [$(($choice, $value)),+].into_iter().find(|(choice, _)| choice == self);
                $crate::model::Value::from(spelled.map(|(_, text)| text))
            }

            fn schema(definitions: &mut $crate::model::Definitions) -> $crate::model::Value {
                let name = $crate::model!(@some $($definition)?);
                $crate::model::schema_choice(name, concat!($($doc, "\n"),+), &[$($value),+], definitions)
            }

            fn bullets() -> Option<String> {
                Some($crate::model::bullets(&[$(($value, concat!($($value_doc, "\n"),+))),+]))
            }
        }
    };
}

/// Declares a union: an enum whose members are objects that a constant key tells apart, each declared with
/// [`model!`](crate::model::model!) and a `tag`.
///
/// ```text
/// union! {
///     /// Description of the union.
///     pub enum ChunkingStrategy by "mode" default SameAsFov {
///         SameAsFov(FovBasedChunking),
///         FixedSize(FixedSizeChunking),
///     }
/// }
/// ```
///
/// With `default` the union implements `Default`, and an empty object is that member. `older` names a function
/// `fn(&Value, &mut Path, &mut Problems) -> Option<Value>` that turns a document of an earlier version into one of today.
#[macro_export]
macro_rules! union {
    (@default $name:ident) => {};
    (@default $name:ident $default:ident) => {
        impl Default for $name {
            fn default() -> Self {
                Self::$default(Default::default())
            }
        }
    };
    (@default_tag) => { None };
    (@default_tag $default:ident) => { Some(Self::$default(Default::default()).tag()) };
    (
        $(#[doc = $doc:literal])+
        $outer:vis enum $name:ident by $key:literal $(default $default:ident)? $(older $older:path)? {
            $($variant:ident($member:ident),)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        $outer enum $name {
            $(#[doc = concat!("See [`", stringify!($member), "`].")] $variant($member),)+
        }

        $crate::union!(@default $name $($default)?);

        impl $name {
            /// The value of the key that says which member this is.
            pub const fn tag(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$member as $crate::model::Tagged>::TAG,)+ }
            }
        }

        impl $crate::model::Model for $name {
            fn read(
                value: &$crate::model::Value,
                at: &mut $crate::model::Path,
                problems: &mut $crate::model::Problems,
            ) -> Option<Self> {
                $(
                    let today = $older(value, at, problems);
                    let value = today.as_ref().unwrap_or(value);
                )?
                let tags = [$(<$member as $crate::model::Tagged>::TAG),+];
                let default: Option<&'static str> = $crate::union!(@default_tag $($default)?);
                let tag = $crate::model::read_tag(value, $key, &tags, default, at, problems)?;
                $(
                    if tag == <$member as $crate::model::Tagged>::TAG {
                        return <$member as $crate::model::Model>::read(value, at, problems).map(Self::$variant);
                    }
                )+
                None
            }

            fn write(&self) -> $crate::model::Value {
                match self { $(Self::$variant(member) => $crate::model::Model::write(member),)+ }
            }

            fn schema(definitions: &mut $crate::model::Definitions) -> $crate::model::Value {
                let members = vec![$((
                    <$member as $crate::model::Tagged>::TAG,
                    <$member as $crate::model::Model>::schema(definitions),
                )),+];
                $crate::model::schema_union($key, members)
            }

            fn bullets() -> Option<String> {
                Some($crate::model::bullets(&[$((
                    <$member as $crate::model::Tagged>::TAG,
                    <$member as $crate::model::Tagged>::DOC,
                )),+]))
            }
        }

        $(
            impl From<$member> for $name {
                fn from(member: $member) -> Self {
                    Self::$variant(member)
                }
            }
        )+
    };
}

pub use {choice, choice_of, model, union};
