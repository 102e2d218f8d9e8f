//! The expressions of a policy, compiled as the API server compiles what it has stored.

use std::borrow::Cow;
use std::fmt;

use super::declarations::{Declarations, policy_environment};
use super::mutate::{self, PatchType};
use super::request;
use crate::cel::check::check;
use crate::cel::environment::Environment;
use crate::cel::error::Problem;
use crate::cel::issues;
use crate::cel::program::{Composition, Program, program};
use crate::cel::syntax::{ExprKind, ParseOptions, parse};
use crate::cel::types::Type;
use crate::json::{Arena, Node};
use crate::review::{Access, GroupVersionResource, KindName, Lookup, ObjectName, Review};
use crate::verdict::Refusal;

/// What a policy says, as text.
#[derive(Clone, Debug, Default)]
pub struct Expressions {
    /// Whether it has a `paramKind`: then `params` is declared.
    pub has_params: bool,
    /// `matchConditions`
    pub conditions: Vec<Named>,
    /// `variables`
    pub variables: Vec<Named>,
    /// `validations`
    pub validations: Vec<ValidationText>,
    /// `auditAnnotations`, named by their keys.
    pub annotations: Vec<Named>,
    /// `mutations`
    pub mutations: Vec<MutationText>,
}

/// An expression with a name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// CEL.
    pub expression: String,
}

/// A validation.
#[derive(Clone, Debug)]
pub struct ValidationText {
    /// CEL that is true or false.
    pub expression: String,
    /// What users read where it is false; may be empty.
    pub message: String,
    /// CEL that makes it; may be empty.
    pub message_expression: String,
    /// Code and reason of a denial.
    pub refusal: Refusal,
}

/// A mutation.
#[derive(Clone, Debug)]
pub struct MutationText {
    /// What the expression makes.
    pub patch_type: PatchType,
    /// CEL.
    pub expression: String,
}

/// What an expression is for, and its position among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `matchConditions`
    MatchCondition(usize),
    /// `variables`
    Variable(usize),
    /// `validations`
    Validation(usize),
    /// The `messageExpression` of the validation at this position.
    Message(usize),
    /// `auditAnnotations`
    AuditAnnotation(usize),
    /// `mutations`
    Mutation(usize),
}

/// Why an expression does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// Its text is no expression, or one of wrong types.
    Problems(Vec<Problem>),
    /// A constant in it cannot be converted: found when its program is made.
    Program(Vec<Problem>),
    /// It makes something of another type than the place needs: the API server's text.
    Type(String),
}

/// An expression and its program.
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) program: Result<Program, CompileError>,
}

/// The policy. What does not compile is an error of each evaluation, as it is for the API server with what it has stored
/// already; see [`CelPolicy::error`].
pub struct CelPolicy {
    pub(super) composition: Composition,
    pub(super) conditions: Vec<Expression>,
    pub(super) condition_names: Vec<String>,
    pub(super) validations: Vec<Validation>,
    pub(super) annotations: Vec<(String, Expression)>,
    pub(super) mutations: Vec<(PatchType, Expression)>,
    /// What is wrong with conditions that use the policy's variables: new ones may not.
    new_conditions: Vec<Option<CompileError>>,
    variables: Vec<String>,
    uses_namespace: bool,
    uses_authorizer: bool,
    uses_request: bool,
}

pub(super) struct Validation {
    pub(super) expression: Expression,
    pub(super) message: String,
    pub(super) message_expression: Option<Expression>,
    pub(super) refusal: Refusal,
}

impl CelPolicy {
    /// Compiles everything.
    pub fn compile(source: Expressions) -> Self {
        let environment = |authorizer, mutation| {
            policy_environment(Environment::stored(), &Declarations { params: source.has_params, authorizer, mutation })
        };
        let (mut composition, mut common) = (Composition::new(), environment(true, false));
        let bare = environment(true, false);
        let (mut messages, mut mutations) = (environment(false, false), environment(true, true));
        for Named { name, expression } in &source.variables {
            let compiled = composition.add(name, expression, &mut common);
            let ty = compiled.as_ref().map_or(Type::Dyn, |program| program.result_type().clone());
            for environment in [&mut messages, &mut mutations] {
                environment.declare_policy_variable(name, ty.clone());
            }
        }
        let boolean = [Type::Bool];
        let condition = |condition: &Named| Expression::compile(&condition.expression, &common, &boolean);
        let new_condition =
            |condition: &Named| Expression::compile(&condition.expression, &bare, &boolean).program.err();
        let validation = |text: ValidationText| Validation {
            expression: Expression::compile(&text.expression, &common, &boolean),
            message: text.message,
            message_expression: (!text.message_expression.is_empty())
                .then(|| Expression::compile(&text.message_expression, &messages, &[Type::String])),
            refusal: text.refusal,
        };
        if !source.mutations.is_empty() {
            mutate::prepare();
        }
        let has_variables = !source.variables.is_empty();
        let mut policy = Self {
            conditions: source.conditions.iter().map(condition).collect(),
            condition_names: source.conditions.iter().map(|condition| condition.name.clone()).collect(),
            new_conditions: if has_variables { source.conditions.iter().map(new_condition).collect() } else { vec![] },
            validations: source.validations.into_iter().map(validation).collect(),
            annotations: source
                .annotations
                .into_iter()
                .map(|Named { name, expression }| {
                    (name, Expression::compile(&expression, &common, &[Type::String, Type::Null]))
                })
                .collect(),
            mutations: source
                .mutations
                .into_iter()
                .map(|MutationText { patch_type, expression }| {
                    (patch_type, Expression::compile(&expression, &mutations, &[patch_type.result()]))
                })
                .collect(),
            variables: source.variables.into_iter().map(|variable| variable.expression).collect(),
            composition,
            uses_namespace: false,
            uses_authorizer: false,
            uses_request: false,
        };
        policy.uses_namespace = policy.uses("namespaceObject");
        policy.uses_authorizer = policy.uses("authorizer");
        policy.uses_request = policy.uses("request");
        policy
    }

    /// Whether an expression reads `namespaceObject`. (Perhaps a variable of a macro only has that name.)
    pub fn uses_namespace(&self) -> bool {
        self.uses_namespace
    }

    /// `request` as the expressions see it, with the resource that they are to see; null where none reads it.
    pub(super) fn request<'a>(
        &self,
        review: &Review<'a>,
        resource: GroupVersionResource<'a>,
        arena: &'a Arena,
    ) -> Node<'a> {
        if self.uses_request { request::build(review, resource, arena) } else { Node::NULL }
    }

    /// Whether an expression asks the authorizer.
    pub fn uses_authorizer(&self) -> bool {
        self.uses_authorizer
    }

    /// What it may ask of the cluster whatever its parameters are: see [`Lookup::covers`].
    pub fn lookups(&self) -> Vec<Lookup<'static>> {
        let namespace = self.uses_namespace.then_some(Lookup::Namespace(Cow::Borrowed("")));
        let access = self.uses_authorizer.then(|| Lookup::Access(Box::new(Access::ANY)));
        let merges = self.mutations.iter().any(|(patch_type, _)| *patch_type == PatchType::ApplyConfiguration);
        let definitions = merges.then(|| {
            let kind = KindName::CUSTOM_RESOURCE_DEFINITION;
            Lookup::Object(ObjectName { kind, namespace: "".into(), name: "".into() })
        });
        namespace.into_iter().chain(access).chain(definitions).collect()
    }

    /// What it asks of the cluster whatever its parameters are, as a phrase: `reads namespaceObject`.
    pub fn asks(&self) -> Option<&'static str> {
        match (self.uses_namespace, self.uses_authorizer) {
            (true, _) => Some("reads namespaceObject"),
            (_, true) => Some("asks the authorizer"),
            _ => None,
        }
    }

    fn uses(&self, name: &str) -> bool {
        self.programs().any(|program| {
            program.ast().iter().any(
                |expression| matches!(&expression.kind, ExprKind::Ident(ident) if ident.trim_start_matches('.') == name),
            )
        })
    }

    /// Every expression that compiles.
    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> {
        let variables = self.composition.iter().filter_map(|(_, program)| program.as_ref().ok());
        let conditions = self.conditions.iter();
        let validations =
            self.validations.iter().flat_map(|one| std::iter::once(&one.expression).chain(&one.message_expression));
        let annotations = self.annotations.iter().map(|(_, expression)| expression);
        let mutations = self.mutations.iter().map(|(_, expression)| expression);
        let all = conditions.chain(validations).chain(annotations).chain(mutations);
        variables.chain(all.filter_map(|expression| expression.program.as_ref().ok()))
    }

    /// Why a new policy with this expression is refused.
    pub fn error(&self, role: Role) -> Option<CompileError> {
        match role {
            Role::MatchCondition(position) if !self.new_conditions.is_empty() => {
                self.new_conditions.get(position).cloned().flatten()
            }
            _ => self.stored_error(role),
        }
    }

    /// Why the expression fails whenever it is evaluated. The same but for match conditions, which may use variables where
    /// they are stored already.
    pub fn stored_error(&self, role: Role) -> Option<CompileError> {
        let expression = match role {
            Role::Variable(position) => {
                let (_, program) = self.composition.iter().nth(position)?;
                return program.as_ref().err().cloned().map(CompileError::Problems);
            }
            Role::MatchCondition(position) => self.conditions.get(position)?,
            Role::Validation(position) => &self.validations.get(position)?.expression,
            Role::Message(position) => self.validations.get(position)?.message_expression.as_ref()?,
            Role::AuditAnnotation(position) => &self.annotations.get(position)?.1,
            Role::Mutation(position) => &self.mutations.get(position)?.1,
        };
        expression.program.as_ref().err().cloned()
    }

    /// The roles of all expressions, in the order in which the API server compiles those of a new policy.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        let variables = (0..self.variables.len()).map(Role::Variable);
        let conditions = (0..self.conditions.len()).map(Role::MatchCondition);
        let validations =
            (0..self.validations.len()).flat_map(|position| [Role::Validation(position), Role::Message(position)]);
        let annotations = (0..self.annotations.len()).map(Role::AuditAnnotation);
        let mutations = (0..self.mutations.len()).map(Role::Mutation);
        variables.chain(conditions).chain(validations).chain(annotations).chain(mutations)
    }

    /// The API server's text for an expression that does not compile.
    pub fn explain(&self, role: Role) -> Option<String> {
        let error = self.stored_error(role)?;
        Some(error.explain(self.text(role)?))
    }

    /// The text of an expression.
    pub(super) fn text(&self, role: Role) -> Option<&str> {
        Some(match role {
            Role::MatchCondition(position) => &self.conditions.get(position)?.text,
            Role::Variable(position) => self.variables.get(position)?,
            Role::Validation(position) => &self.validations.get(position)?.expression.text,
            Role::Message(position) => &self.validations.get(position)?.message_expression.as_ref()?.text,
            Role::AuditAnnotation(position) => &self.annotations.get(position)?.1.text,
            Role::Mutation(position) => &self.mutations.get(position)?.1.text,
        })
    }

    /// What the mutation at this position makes.
    pub fn patch_type(&self, position: usize) -> Option<PatchType> {
        self.mutations.get(position).map(|(patch_type, _)| *patch_type)
    }
}

impl Expression {
    /// Compiles a text whose value must be of one of these types, exactly.
    fn compile(text: &str, environment: &Environment, types: &[Type]) -> Self {
        let compiled = || {
            let ast = parse(text, &ParseOptions::default()).map_err(CompileError::Problems)?;
            let checked = check(ast, environment).map_err(CompileError::Problems)?;
            let result = checked.result_type();
            if !types.contains(result) {
                let names: Vec<String> = types.iter().map(ToString::to_string).collect();
                let expected = if types.len() == 1 { names.concat() } else { format!("one of [{}]", names.join(" ")) };
                return Err(CompileError::Type(format!("must evaluate to {expected} but got {result}")));
            }
            program(text, checked).map_err(CompileError::Program)
        };
        Self { text: text.to_owned(), program: compiled() }
    }
}

impl CompileError {
    /// The API server's text.
    pub fn explain(&self, text: &str) -> String {
        match self {
            Self::Problems(problems) => format!("compilation failed: {}", issues::print(text, problems)),
            Self::Program(problems) => {
                let problem = problems.first().map_or("", |problem| problem.message.as_str());
                format!("program instantiation failed: {problem}")
            }
            Self::Type(text) => text.clone(),
        }
    }
}

impl fmt::Debug for CelPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CelPolicy({} validations, {} mutations)", self.validations.len(), self.mutations.len())
    }
}
